// Unary calls.

import CTTRPCProto

/// A unary call while its handler runs. The handler calls exactly one of `reply` and `deferred`.
public struct UnaryCall: ~Copyable {
  /// Session and method outlive the handler. They are not reference-counted, which would cost a read more than finding
  /// its twin.
  let session: Unmanaged<ServerSession>
  let id: UInt32
  let method: Unmanaged<Method>
  /// The encoded request. Valid while the handler runs.
  public let payload: UnsafeRawBufferPointer
  /// The metadata of the call.
  public let metadata: Metadata
  /// On the monotonic clock; `UInt64.max`: none.
  public let deadlineNanos: UInt64

  /// The caller.
  public var peer: Peer { session._withUnsafeGuaranteedRef { $0.peer } }
  /// What the service knows of the caller, see `Router.admit`. Valid while the handler runs, until it is replaced.
  public var context: Unmanaged<AnyObject> { session._withUnsafeGuaranteedRef { .passUnretained($0.context) } }
  /// Memory for building the reply. Valid while the handler runs.
  public var arena: Arena { session._withUnsafeGuaranteedRef { $0.arena } }
  /// The thread that serves this connection.
  public var executor: any Executor { session._withUnsafeGuaranteedRef { $0.executor } }

  /// Replies with an encoded message of `byteCount` bytes, which `fill` writes to the connection's output.
  @inline(__always)
  public func reply(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
    session._withUnsafeGuaranteedRef { session in
      precondition(session.reply == .none, "a call is answered once")
      session.reply = .made
      if ServerSession.isPast(deadlineNanos) { return session.appendError(id, .deadlineExceeded) }
      session.appendResponse(id, byteCount, fill)
    }
  }

  /// Replies with a message.
  public func reply<Message: ProtobufMessage>(_ message: UnsafeMutablePointer<Message>) {
    let message = UnsafePointer(message)
    reply(byteCount: message.packedByteCount) { message.pack(to: $0) }
  }

  /// Replaces the context for later calls of this connection; calls in progress keep theirs.
  public func setContext(_ context: AnyObject) { session._withUnsafeGuaranteedRef { $0.context = context } }

  /// Keeps the call open when the handler returns, for a later reply.
  public func deferred() -> ServerCall { deferred(until: .max, else: .deadlineExceeded) }

  /// The same, but the client's later calls wait until this one has ended, so that its calls take effect in order.
  public func deferredInOrder() -> ServerCall {
    session._withUnsafeGuaranteedRef { $0.hold(id) }
    return deferred()
  }

  /// Keeps the call open when the handler returns. If there is no reply by this time on the monotonic clock, replies
  /// with the error. The caller's deadline still applies.
  public func deferred(until nanos: UInt64, else error: RPCError) -> ServerCall {
    let session = session.takeUnretainedValue()
    precondition(session.reply == .none, "a call is answered once")
    session.reply = .deferred
    let deadline = min(nanos, deadlineNanos)
    let call = session.open(
      id, method.takeUnretainedValue(), metadata, deadline, ServerStreamState(phase: .halfClosed))
    if nanos < deadlineNanos { call.deadlineError = error }
    return call
  }
}
