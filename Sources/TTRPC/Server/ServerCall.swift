// A call that outlives the frame that began it: a stream, or a unary call that is answered later.

import CTTRPCProto
import Synchronization

/// One open call. Its methods and callbacks belong to the connection's thread, but for `isEnded`, `onThread` and
/// `complete`, which any thread may use.
public final class ServerCall: @unchecked Sendable {
  public let peer: Peer
  /// On the monotonic clock; `UInt64.max` = none. When it passes, the call fails by itself.
  public let deadlineNanos: UInt64
  /// The thread that serves this call's connection.
  public let executor: any Executor

  // The callbacks are handed their call, so that none of them has to capture it: a strong capture would be a cycle, and
  // an unowned one that a job takes to another thread is read after the call is gone.

  /// A message came. The bytes live until the callback returns.
  public var onMessage: ((ServerCall, UnsafeRawBufferPointer) throws(RPCError) -> Void)?
  /// The client sends no more messages.
  public var onRemoteClosed: ((ServerCall) throws(RPCError) -> Void)?
  /// The call ended, and not by its handler: the client gave up, the deadline passed, a message was refused, the server
  /// shuts down, the connection died. Work for it should stop.
  public var onCancelled: (() -> Void)?
  /// Output was sent and there is room for more.
  public var onWritable: ((ServerCall) -> Void)?

  /// What the caller is told when the deadline passes.
  var deadlineError = RPCError.deadlineExceeded

  /// Tells calls of one connection from those of others, while one of them lives.
  public var connection: ObjectIdentifier { ObjectIdentifier(share) }

  let id: UInt32
  let method: Method
  private let share: BufferShare
  private let reservedBytes = Atomic(0)
  var state: ServerStreamState
  private let pairs: [(key: String, value: String)]
  private weak var session: ServerSession?
  /// Who carries its connection; nil when that has ended.
  var host: (any SessionHost)? { session?.host }
  private let ended = Atomic(false)
  /// Bytes of room on the connection that are kept for it.
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
    executor = session.executor
    roomBytes = session.roomBytes
    pairs = metadata.all
  }

  deinit { share.add(-reservedBytes.load(ordering: .relaxed)) }

  /// Counts memory that is about to be kept or made for this call, until it is given back or nobody holds the call. Throws
  /// RESOURCE_EXHAUSTED when there is none left. Any thread may call it.
  public func reserve(_ byteCount: Int) throws(RPCError) {
    guard share.reserve(byteCount) else { throw .buffersFull(share) }
    reservedBytes.add(byteCount, ordering: .relaxed)
  }

  /// Any thread may call it.
  public func giveBack(_ byteCount: Int) {
    reservedBytes.subtract(byteCount, ordering: .relaxed)
    share.add(-byteCount)
  }

  /// Whether so few replies wait for the connection's reader that a large one may be made for it. Any thread may ask.
  public var hasRoom: Bool { share.outputBytes <= roomBytes }
  private let roomBytes: Int

  /// The last value of a metadata key, given in lower case.
  public func metadata(_ key: String) -> String? { pairs.last { $0.key.lowercased() == key }?.value }

  /// Nothing more can be sent; work for it is in vain. Any thread may ask.
  public var isEnded: Bool { ended.load(ordering: .acquiring) }

  /// Whether the connection has room for more. When not, `onWritable` tells when it has.
  public var isWritable: Bool { session?.hasRoom ?? false }

  /// Keeps room on the connection for output that another thread is about to make: other streams find that much less, and
  /// do not make output too that the connection has no room for. Until `giveRoomBack`, or the end of the call.
  public func keepRoom(byteCount: Int) {
    guard let session, !isEnded else { return }
    keptRoomBytes += byteCount
    session.keepRoom(byteCount)
  }

  /// What room was kept for is about to be sent, or will not be.
  public func giveRoomBack() {
    guard let session, keptRoomBytes > 0 else { return }
    session.giveBack(room: keptRoomBytes)
    keptRoomBytes = 0
  }

  /// Checks and unpacks a message. It lives until the callback that got the bytes returns.
  public func unpack<Message: ProtobufMessage>(
    _ type: Message.Type = Message.self, _ bytes: UnsafeRawBufferPointer
  ) throws(RPCError) -> UnsafePointer<Message> {
    guard let session else { throw RPCError(.cancelled, "the connection has ended") }
    session.arena.reset()
    return try session.arena.unpack(Message.self, bytes)
  }

  /// Sends one message of `byteCount` bytes that `fill` writes. Nothing happens when the call has ended.
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

  /// Runs the body on the connection's thread. Any thread may call it.
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

  /// The calls behind one that was `deferredInOrder` may go on before it ends: it has taken effect.
  public func letOthersPass() {
    guard let session, !isEnded else { return }
    session.release(id)
    session.host?.outputPending()
  }

  private func conclude(_ session: ServerSession) {
    session.end(id, cancelled: false)
    session.host?.outputPending()
  }

  /// The session has taken the call out of its table.
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
