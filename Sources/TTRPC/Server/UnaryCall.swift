// A unary call while its handler runs.

import CTTRPCProto

/// What a handler knows of its call, and where it puts the reply. Exactly one of `reply` and `deferred` is called.
public struct UnaryCall: ~Copyable {
  /// Session and method outlive the handler, which only borrows the call: counting references to them would cost a
  /// read more than finding its twin.
  let session: Unmanaged<ServerSession>
  let id: UInt32
  let method: Unmanaged<Method>
  /// The request as it was sent. Valid while the handler runs.
  public let payload: UnsafeRawBufferPointer
  /// What the caller sent beside the request.
  public let metadata: Metadata
  /// On the monotonic clock; `UInt64.max` = none.
  public let deadlineNanos: UInt64

  /// Who calls.
  public var peer: Peer { session._withUnsafeGuaranteedRef { $0.peer } }
  /// Memory for building the reply. Valid while the handler runs.
  public var arena: Arena { session._withUnsafeGuaranteedRef { $0.arena } }
  /// The thread that serves this connection.
  public var executor: any Executor { session._withUnsafeGuaranteedRef { $0.executor } }

  /// Answers with `byteCount` bytes of an encoded message that `fill` writes into the connection's output.
  @inline(__always)
  public func reply(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
    session._withUnsafeGuaranteedRef { session in
      precondition(session.reply == .none, "a call is answered once")
      session.reply = .made
      if ServerSession.isPast(deadlineNanos) { return session.appendError(id, .deadlineExceeded) }
      session.appendResponse(id, byteCount, fill)
    }
  }

  /// Answers with a message.
  public func reply<Message: ProtobufMessage>(_ message: UnsafeMutablePointer<Message>) {
    let message = UnsafePointer(message)
    reply(byteCount: message.packedByteCount) { message.pack(to: $0) }
  }

  /// The call stays open when the handler returns; the reply comes later.
  public func deferred() -> ServerCall { deferred(until: .max, else: .deadlineExceeded) }

  /// The same, and what the client sent behind this call is not looked at before it has ended: its calls take effect in
  /// the order in which they came.
  public func deferredInOrder() -> ServerCall {
    session._withUnsafeGuaranteedRef { $0.hold(id) }
    return deferred()
  }

  /// The call stays open when the handler returns; when no reply has come by that time on the monotonic clock, the
  /// error is the answer. The caller's own deadline holds all the same.
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
