// A unary call that was begun and whose reply is taken later.

/// Wait once, from any one thread.
public struct PendingCall<Response: ProtobufMessage>: Sendable {
  /// A client closes when it is released: not before its calls have ended.
  private let client: Client
  private let channel: ClientChannel
  private let call: ClientCall
  private let deadlineNanos: UInt64

  init(_ client: Client, _ channel: ClientChannel, _ call: ClientCall, _ deadlineNanos: UInt64) {
    self.client = client
    self.channel = channel
    self.call = call
    self.deadlineNanos = deadlineNanos
  }

  /// The reply, when it has come. Sends the call first, if nothing has.
  public func wait() throws(RPCError) -> Received<Response> {
    channel.flush(until: deadlineNanos)
    return try Received(channel.response(call, until: deadlineNanos))
  }

  /// The same for Swift concurrency: sends the call and suspends.
  func received() async throws -> Received<Response> {
    client.ensureReader(channel)
    channel.expire(call, at: deadlineNanos)
    channel.flush(until: 0)
    await withTaskCancellationHandler {
      await channel.news(of: call)
    } onCancel: {
      cancel()
    }
    return try Received(channel.response(call, until: deadlineNanos))
  }

  /// Gives the call up.
  public func cancel() { channel.cancel(call, RPCError(.cancelled, "the caller gave the call up")) }
}
