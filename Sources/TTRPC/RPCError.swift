// The error type of the RPC layer, thrown by handlers and by clients.

/// The failure of a call, as it is sent to or received from the other side.
public struct RPCError: Error, Equatable, CustomStringConvertible {
  /// A machine-readable detail: an encoded message and the name of its type.
  public struct Detail: Equatable, Sendable {
    /// "type.googleapis.com/" and the full message name.
    public let typeURL: String
    public let value: [UInt8]

    public init(typeURL: String, value: [UInt8]) {
      self.typeURL = typeURL
      self.value = value
    }
  }

  /// A limit that was exceeded, with its name in `Limits`.
  public struct Limit: Equatable, Sendable {
    public let name: String
    public let maximum: UInt64
    /// The value that was needed.
    public let actual: UInt64

    public init(_ name: String, maximum: Int, actual: Int) {
      self.name = name
      self.maximum = UInt64(clamping: maximum)
      self.actual = UInt64(clamping: actual)
    }
  }

  public let code: StatusCode
  /// What is wrong, with the offending name, and what to do.
  public let message: String
  public let details: [Detail]
  /// A server sends it as an additional detail, see `Limits.detail`.
  public let limit: Limit?

  public init(_ code: StatusCode, _ message: String, details: [Detail] = [], limit: Limit? = nil) {
    self.code = code
    self.message = message
    self.details = details
    self.limit = limit
  }

  public var description: String { "\(code.name): \(message)" }
}
