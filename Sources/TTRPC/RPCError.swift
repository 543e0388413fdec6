// The one error type of the RPC layer, thrown by handlers and by clients alike.

/// A call's failure: what the other side is told, or was told.
public struct RPCError: Error, Equatable, CustomStringConvertible {
  /// Machine-readable detail: an encoded message and the name of its type.
  public struct Detail: Equatable, Sendable {
    /// "type.googleapis.com/" and the full message name.
    public let typeURL: String
    public let value: [UInt8]

    public init(typeURL: String, value: [UInt8]) {
      self.typeURL = typeURL
      self.value = value
    }
  }

  public let code: StatusCode
  /// What was wrong, with the offending name, and what to do.
  public let message: String
  public let details: [Detail]

  public init(_ code: StatusCode, _ message: String, details: [Detail] = []) {
    self.code = code
    self.message = message
    self.details = details
  }

  public var description: String { "\(code.name): \(message)" }
}
