// Unary calls whose reply is read later.

/// A unary call in progress. Wait for it once, from any thread.
public struct PendingCall<Response: ProtobufMessage>: Sendable {
  /// Keeps the client, which closes when it is released.
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

  /// Waits for the reply. Sends the call first, if it has not been sent.
  public func wait() throws(RPCError) -> Received<Response> {
    channel.flush(until: deadlineNanos)
    return try Received(channel.response(call, until: deadlineNanos))
  }

  /// The same without blocking a thread.
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

  /// Cancels the call.
  public func cancel() { channel.cancel(call, RPCError(.cancelled, "the caller cancelled the call")) }
}
