// Streaming calls.

/// A streaming call. One thread may send and another one receive.
public final class ClientStream<Request: ProtobufMessage, Response: ProtobufMessage>: Sendable {
  let channel: ClientChannel
  let call: ClientCall
  let deadlineNanos: UInt64
  /// Keeps the client, which closes when it is released.
  private let client: Client

  init(_ client: Client, _ channel: ClientChannel, _ call: ClientCall, _ deadlineNanos: UInt64) {
    self.client = client
    self.channel = channel
    self.call = call
    self.deadlineNanos = deadlineNanos
  }

  deinit { cancel() }

  /// Sends a message of a client-streaming or bidirectional call.
  public func send(_ message: UnsafePointer<Request>) throws(RPCError) {
    try channel.send(call, message.encoded(), until: deadlineNanos)
  }

  /// Ends sending.
  public func closeSending() { channel.closeSending(call, until: deadlineNanos) }

  /// Waits for the server's next message; nil at the successful end of its stream.
  public func next() throws(RPCError) -> Received<Response>? {
    guard let bytes = try channel.nextMessage(call, until: deadlineNanos) else { return nil }
    return try Received(bytes)
  }

  /// The same without blocking a thread. One task at a time.
  func nextAsync() async throws -> Received<Response>? {
    await withTaskCancellationHandler {
      await channel.news(of: call)
    } onCancel: {
      cancel()
    }
    return try next()
  }

  /// Waits for the reply of a client-streaming call.
  public func response() throws(RPCError) -> Received<Response> {
    try Received(channel.response(call, until: deadlineNanos))
  }

  /// Cancels the call; `next` throws CANCELLED.
  ///
  /// ttrpc has no cancellation. twind's servers understand the frame that is sent for it; other servers ignore it and
  /// continue until the stream or the connection ends. If that matters, close the client. The stream is not half-closed
  /// instead, because a server would treat an incomplete upload as complete.
  public func cancel() { channel.cancel(call, RPCError(.cancelled, "the caller cancelled the call")) }
}
