// A call that is not answered at once: a stream, or a unary call with a later reply.

import CTTRPCProto
import Synchronization

/// An open call. Use it on the connection's thread; only `isEnded`, `onThread` and `complete` may be used from any
/// thread.
public final class ServerCall: @unchecked Sendable {
  public let peer: Peer
  /// What the service knew of the caller when the call began, see `Router.admit`.
  public let context: AnyObject
  /// On the monotonic clock; `UInt64.max`: none. The call fails when it passes.
  public let deadlineNanos: UInt64
  /// The thread that serves this call's connection.
  public let executor: any Executor

  // The callbacks are handed their call, so that none of them has to capture it: a strong capture would be a cycle, and
  // an unowned one that a job takes to another thread is read after the call is gone.

  /// Called for each message. The bytes are valid until it returns.
  public var onMessage: ((ServerCall, UnsafeRawBufferPointer) throws(RPCError) -> Void)?
  /// Called when the client ends sending.
  public var onRemoteClosed: ((ServerCall) throws(RPCError) -> Void)?
  /// Called when the call ends without its handler: the client cancelled it, the deadline passed, a message was
  /// refused, the server shuts down, or the connection broke. Work for it should stop.
  public var onCancelled: (() -> Void)?
  /// Called when output was sent and there is room for more.
  public var onWritable: ((ServerCall) -> Void)?

  /// The error when the deadline passes.
  var deadlineError = RPCError.deadlineExceeded

  /// Identifies the connection, while it exists.
  public var connection: ObjectIdentifier { ObjectIdentifier(share) }

  let id: UInt32
  let method: Method
  private let share: BufferShare
  private let reservedBytes = Atomic(0)
  var state: ServerStreamState
  private let pairs: [(key: String, value: String)]
  private weak var session: ServerSession?
  /// The connection's session; nil if it has ended.
  var host: (any SessionHost)? { session?.host }
  private let ended = Atomic(false)
  /// Bytes of the connection's output that are reserved for it.
  package private(set) var keptRoomBytes = 0

  init(
    _ session: ServerSession, _ id: UInt32, _ method: Method, _ metadata: Metadata, _ deadlineNanos: UInt64,
    _ state: ServerStreamState
  ) {
    self.session = session
    share = session.share
    self.id = id
    self.method = method
    self.state = state
    self.deadlineNanos = deadlineNanos
    peer = session.peer
    context = session.context
    executor = session.executor
    roomBytes = session.roomBytes
    pairs = metadata.all
  }

  deinit { share.add(-reservedBytes.load(ordering: .relaxed)) }

  /// Reserves memory for this call, until it is returned or the call is released. Throws RESOURCE_EXHAUSTED if there is
  /// none left. May be called from any thread.
  public func reserve(_ byteCount: Int) throws(RPCError) {
    guard share.reserve(byteCount) else { throw .buffersFull(share) }
    reservedBytes.add(byteCount, ordering: .relaxed)
  }

  /// Any thread may call it.
  public func giveBack(_ byteCount: Int) {
    reservedBytes.subtract(byteCount, ordering: .relaxed)
    share.add(-byteCount)
  }

  /// Whether the connection has few enough unread replies to make another large one. May be called from any thread.
  public var hasRoom: Bool { share.outputBytes <= roomBytes }
  private let roomBytes: Int

  /// The last value of a metadata key, which must be in lower case.
  public func metadata(_ key: String) -> String? { pairs.last { $0.key.lowercased() == key }?.value }

  /// Nothing more can be sent, so work for it can stop. May be read from any thread.
  public var isEnded: Bool { ended.load(ordering: .acquiring) }

  /// Whether the connection has room for more output. If not, `onWritable` is called when it has.
  public var isWritable: Bool { session?.hasRoom ?? false }

  /// Reserves room on the connection for output that another thread is about to make, until `giveRoomBack` or the end
  /// of the call, so that streams do not make more output than the connection has room for.
  public func keepRoom(byteCount: Int) {
    guard let session, !isEnded else { return }
    keptRoomBytes += byteCount
    session.keepRoom(byteCount)
  }

  /// Releases the reserved room, before the output is sent or if it will not be.
  public func giveRoomBack() {
    guard let session, keptRoomBytes > 0 else { return }
    session.giveBack(room: keptRoomBytes)
    keptRoomBytes = 0
  }

  /// Checks and unpacks a message. It is valid until the callback that got the bytes returns.
  public func unpack<Message: ProtobufMessage>(
    _ type: Message.Type = Message.self, _ bytes: UnsafeRawBufferPointer
  ) throws(RPCError) -> UnsafePointer<Message> {
    guard let session else { throw RPCError(.cancelled, "the connection has ended") }
    session.arena.reset()
    return try session.arena.unpack(Message.self, bytes)
  }

  /// Sends a message of `byteCount` bytes that `fill` writes. Does nothing if the call has ended.
  public func send(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
    guard let session, !isEnded else { return }
    if byteCount > Limits.frameBytesMax {
      session.abort(self, ServerSession.replyTooLarge(byteCount))
    } else {
      session.appendData(id, byteCount, fill)
    }
    session.host?.outputPending()
  }

  /// Sends one message.
  public func send<Message: ProtobufMessage>(_ message: UnsafeMutablePointer<Message>) {
    let message = UnsafePointer(message)
    send(byteCount: message.packedByteCount) { message.pack(to: $0) }
  }

  /// Ends a stream of messages successfully.
  public func finish() {
    precondition(method.shape.serverStreams, "only streams from the server are finished: reply instead")
    guard let session, !isEnded else { return }
    session.appendEnd(id)
    conclude(session)
  }

  /// Ends a unary or client-streaming call with its reply.
  public func reply(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
    precondition(!method.shape.serverStreams, "streams from the server end with finish")
    guard let session, !isEnded else { return }
    guard !ServerSession.isPast(deadlineNanos) else { return fail(deadlineError) }
    session.appendResponse(id, byteCount, fill)
    conclude(session)
  }

  /// Ends a unary or client-streaming call with its reply.
  public func reply<Message: ProtobufMessage>(_ message: UnsafeMutablePointer<Message>) {
    let message = UnsafePointer(message)
    reply(byteCount: message.packedByteCount) { message.pack(to: $0) }
  }

  /// Ends the call with an error.
  public func fail(_ error: RPCError) {
    guard let session, !isEnded else { return }
    session.appendError(id, error)
    conclude(session)
  }

  /// Runs the body on the connection's thread. May be called from any thread.
  public func onThread(_ body: @escaping @Sendable (ServerCall) -> Void) {
    executor.post(for: self) { body(self) }
  }

  /// Ends a unary or client-streaming call from any thread.
  public func complete(_ result: Result<[UInt8], RPCError>) {
    onThread { call in
      switch result {
      case .success(let bytes):
        call.reply(byteCount: bytes.count) { target in
          bytes.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
      case .failure(let error):
        call.fail(error)
      }
    }
  }

  /// Lets the calls after one that was `deferredInOrder` continue before it ends, since it has taken effect.
  public func letOthersPass() {
    guard let session, !isEnded else { return }
    session.release(id)
    session.host?.outputPending()
  }

  private func conclude(_ session: ServerSession) {
    session.end(id, cancelled: false)
    session.host?.outputPending()
  }

  /// Called when the session has removed the call from its table.
  func ended(cancelled: Bool) {
    ended.store(true, ordering: .releasing)
    let onCancelled = onCancelled
    onMessage = nil
    onRemoteClosed = nil
    onWritable = nil
    self.onCancelled = nil
    if cancelled { onCancelled?() }
  }
}
