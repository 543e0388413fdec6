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

  /// A bound that was reached, by the name that it has in `Limits`.
  public struct Limit: Equatable, Sendable {
    public let name: String
    public let maximum: UInt64
    /// What would have been needed.
    public let actual: UInt64

    public init(_ name: String, maximum: Int, actual: Int) {
      self.name = name
      self.maximum = UInt64(clamping: maximum)
      self.actual = UInt64(clamping: actual)
    }
  }

  public let code: StatusCode
  /// What was wrong, with the offending name, and what to do.
  public let message: String
  public let details: [Detail]
  /// A server tells it as one more detail, see `Limits.detail`.
  public let limit: Limit?

  public init(_ code: StatusCode, _ message: String, details: [Detail] = [], limit: Limit? = nil) {
    self.code = code
    self.message = message
    self.details = details
    self.limit = limit
  }

  public var description: String { "\(code.name): \(message)" }
}
