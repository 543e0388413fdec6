// Every limit of the RPC layer. Errors and GetServerInfo use the same names.

/// The limits of a server or client. When one is exceeded, the call gets an error status; if no single call is
/// responsible, the connection is closed.
public struct Limits: Sendable {
  /// Payload of a frame, in bytes. Fixed by ttrpc.
  public static let frameBytesMax = 4 << 20
  /// Nesting depth of a message.
  public static let messageDepthMax = 16
  /// Metadata pairs of a call.
  public static let metadataPairsMax = 16
  /// Keys and values of a call's metadata together, in bytes.
  public static let metadataBytesMax = 4096
  /// Unknown fields in a payload: this many, plus one for each eight bytes.
  public static let unknownFieldsBase = 64
  /// Memory for unpacking a payload: this many bytes, plus 32 for each byte of the payload. A list of small integers
  /// needs 30.
  public static let unpackBytesBase = 64 << 10

  /// Frames that wait while a connection's replies are not read, in bytes. Above it calls are refused.
  public static let queuedBytesMax = 4 << 20

  /// Calls being served on one connection.
  public var streamsPerConnectionMax = 128
  /// Connections of one server.
  public var connectionsMax = 1024
  /// Connections of one user. If it is less than `connectionsMax`, the difference is reserved for other users.
  public var connectionsPerUserMax = Int.max
  /// Connections beyond `connectionsMax` for operators, see `Server.init`.
  public var connectionsReservedMax = 8
  /// New connections that wait until another one is closed. More of them wait in the listener's backlog.
  public static let newcomersMax = 32
  /// Refused connections that are told the reason. More of them are closed at once.
  public static let refusalsMax = 64
  /// How long a connection may make no call while 90 % of `connectionsMax` are in use, in nanoseconds.
  public var silentNanosMax: UInt64 = 60_000_000_000
  /// How long a connection without a call is kept although a new connection needs its place, in nanoseconds.
  public var silentNanosMin: UInt64 = 1_000_000_000
  /// Memory for all connections, in bytes: partial frames, replies that wait to be read, what open calls keep, and
  /// replies in progress. Above it new work is refused, and the connection that uses the most is closed.
  public var bufferBytesMax = 64 << 20
  /// Replies that wait to be read on a connection, in bytes. Above it its calls wait, up to `queuedBytesMax`, and its
  /// streams produce no more.
  public var sendBytesPerConnectionMax = 1 << 20
  /// How long a frame may take to arrive, in nanoseconds.
  public var frameNanosMax: UInt64 = 5_000_000_000
  /// How long calls in flight may take when the server shuts down, in nanoseconds.
  public var drainNanosMax: UInt64 = 10_000_000_000

  /// Frames of a connection that are handled in one turn of its reactor. The rest waits for the other connections'
  /// turns.
  public var framesPerTurnMax = 64
  /// Requests of a connection that are handled in one turn, in bytes, but at least one.
  public var requestBytesPerTurnMax = 64 << 10
  /// Replies of a connection in one turn, in bytes.
  public var replyBytesPerTurnMax = 128 << 10

  /// Makes the detail that tells a caller which limit it exceeded. ttrpc has no such detail.
  public var detail: (@Sendable (RPCError.Limit) -> RPCError.Detail)?

  public init() {}

  /// The error with its detail, as it is sent to a caller.
  func detailed(_ error: RPCError) -> RPCError {
    guard let detail, let limit = error.limit else { return error }
    return RPCError(error.code, error.message, details: error.details + [detail(limit)])
  }

  /// The most descriptors that a server with this many threads uses.
  public func descriptorsMax(reactors: Int) -> Int {
    // The listener, and one that has been accepted and not been judged; each thread's epoll and eventfd. Refusals that
    // have ended are closed at the end of a turn, and as many may have begun in it.
    connectionsMax + connectionsReservedMax + Self.newcomersMax + 2 * Self.refusalsMax + 2 + 2 * reactors
  }

  /// The name and value of each limit, for GetServerInfo.
  public var named: [(name: String, value: UInt64)] {
    [
      ("frameBytesMax", UInt64(Self.frameBytesMax)),
      ("messageDepthMax", UInt64(Self.messageDepthMax)),
      ("metadataPairsMax", UInt64(Self.metadataPairsMax)),
      ("metadataBytesMax", UInt64(Self.metadataBytesMax)),
      ("queuedBytesMax", UInt64(Self.queuedBytesMax)),
      ("streamsPerConnectionMax", UInt64(streamsPerConnectionMax)),
      ("connectionsMax", UInt64(connectionsMax)),
      ("connectionsPerUserMax", UInt64(min(connectionsPerUserMax, connectionsMax))),
      ("connectionsReservedMax", UInt64(connectionsReservedMax)),
      ("newcomersMax", UInt64(Self.newcomersMax)),
      ("refusalsMax", UInt64(Self.refusalsMax)),
      ("silentNanosMax", silentNanosMax),
      ("silentNanosMin", silentNanosMin),
      ("bufferBytesMax", UInt64(bufferBytesMax)),
      ("sendBytesPerConnectionMax", UInt64(sendBytesPerConnectionMax)),
      ("frameNanosMax", frameNanosMax),
      ("drainNanosMax", drainNanosMax),
      ("framesPerTurnMax", UInt64(framesPerTurnMax)),
      ("requestBytesPerTurnMax", UInt64(requestBytesPerTurnMax)),
      ("replyBytesPerTurnMax", UInt64(replyBytesPerTurnMax)),
    ]
  }
}
