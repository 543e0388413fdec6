// Every bound of the RPC layer. Named so that an error, GetServerInfo and this file say the same word.

/// The bounds of a server or client. Past one the caller gets a status or, where no call can be blamed, the
/// connection is closed.
public struct Limits: Sendable {
  /// Payload of one frame, in bytes. ttrpc fixes it.
  public static let frameBytesMax = 4 << 20
  /// Nesting of a message.
  public static let messageDepthMax = 16
  /// Metadata pairs of one call.
  public static let metadataPairsMax = 16
  /// Keys and values of one call's metadata together, in bytes.
  public static let metadataBytesMax = 4096
  /// Fields of a payload that its type does not know: this many, and one more for each eight bytes.
  public static let unknownFieldsBase = 64
  /// Memory that unpacking a payload may take: this many bytes, and 32 for each of its own. A list of small integers
  /// takes 30 for each.
  public static let unpackBytesBase = 64 << 10

  /// Frames of one connection that wait while its replies are not read, in bytes. Past it their calls are refused.
  public static let queuedBytesMax = 4 << 20

  /// Calls being served on one connection.
  public var streamsPerConnectionMax = 128
  /// Connections of one server.
  public var connectionsMax = 1024
  /// Connections of one user. Fewer than `connectionsMax` keeps the difference for other users.
  public var connectionsPerUserMax = Int.max
  /// Connections beyond `connectionsMax` for operators, see `Server.init`.
  public var connectionsReservedMax = 8
  /// Newcomers that wait while a place is looked for; more wait until they are accepted.
  public static let newcomersMax = 32
  /// Newcomers that are told why they get no place. More are closed at once.
  public static let refusalsMax = 64
  /// Time that a connection may go without a call while 90 % of `connectionsMax` are taken, in nanoseconds.
  public var silentNanosMax: UInt64 = 60_000_000_000
  /// Time that a connection without a call keeps its place though a newcomer finds none, in nanoseconds.
  public var silentNanosMin: UInt64 = 1_000_000_000
  /// Memory for all that is under way on all connections, in bytes: received parts of frames, replies that wait for their
  /// readers, what open calls keep, and replies that are being made. Past it new work is refused, and the connection that
  /// holds the most is closed.
  public var bufferBytesMax = 64 << 20
  /// Replies that wait for one connection's reader, in bytes. Past it its calls wait, up to `queuedBytesMax`, and its
  /// streams are not asked for more.
  public var sendBytesPerConnectionMax = 1 << 20
  /// Time that a started frame may take to arrive, in nanoseconds.
  public var frameNanosMax: UInt64 = 5_000_000_000
  /// Time that calls in flight may take when the server shuts down, in nanoseconds.
  public var drainNanosMax: UInt64 = 10_000_000_000

  /// Frames of one connection that one turn of its reactor handles. The rest waits until the others have had theirs.
  public var framesPerTurnMax = 64
  /// Requests of one connection that one turn handles, in bytes, but one at least. The rest waits likewise.
  public var requestBytesPerTurnMax = 64 << 10
  /// Replies of one connection to one turn, in bytes. Past it the rest of its frames waits likewise.
  public var replyBytesPerTurnMax = 128 << 10

  /// Makes the detail by which callers are told of a limit that they reached. ttrpc has none of its own.
  public var detail: (@Sendable (RPCError.Limit) -> RPCError.Detail)?

  public init() {}

  /// As it goes to a caller.
  func detailed(_ error: RPCError) -> RPCError {
    guard let detail, let limit = error.limit else { return error }
    return RPCError(error.code, error.message, details: error.details + [detail(limit)])
  }

  /// Descriptors that a server with so many threads takes at most.
  public func descriptorsMax(reactors: Int) -> Int {
    // The listener, and one that has been accepted and not been judged; each thread's epoll and eventfd. Refusals that
    // have ended are closed at the end of a turn, and as many may have begun in it.
    connectionsMax + connectionsReservedMax + Self.newcomersMax + 2 * Self.refusalsMax + 2 + 2 * reactors
  }

  /// Name and value of each, for people and tools that ask.
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
