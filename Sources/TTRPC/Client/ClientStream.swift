// A call with a stream of messages on either side or both.

/// Send from one thread, receive from one; they may be two.
public final class ClientStream<Request: ProtobufMessage, Response: ProtobufMessage>: Sendable {
  let channel: ClientChannel
  let call: ClientCall
  let deadlineNanos: UInt64
  /// A client closes when it is released: not before its streams.
  private let client: Client

  init(_ client: Client, _ channel: ClientChannel, _ call: ClientCall, _ deadlineNanos: UInt64) {
    self.client = client
    self.channel = channel
    self.call = call
    self.deadlineNanos = deadlineNanos
  }

  deinit { cancel() }

  /// Sends one message of a client-streaming or bidirectional call.
  public func send(_ message: UnsafePointer<Request>) throws(RPCError) {
    try channel.send(call, message.encoded(), until: deadlineNanos)
  }

  /// The client sends no more.
  public func closeSending() { channel.closeSending(call, until: deadlineNanos) }

  /// The server's next message; nil when its stream has ended successfully.
  public func next() throws(RPCError) -> Received<Response>? {
    guard let bytes = try channel.nextMessage(call, until: deadlineNanos) else { return nil }
    return try Received(bytes)
  }

  /// The same for Swift concurrency. One task at a time.
  func nextAsync() async throws -> Received<Response>? {
    await withTaskCancellationHandler {
      await channel.news(of: call)
    } onCancel: {
      cancel()
    }
    return try next()
  }

  /// The reply of a client-streaming call.
  public func response() throws(RPCError) -> Received<Response> {
    try Received(channel.response(call, until: deadlineNanos))
  }

  /// Gives the call up; `next` throws CANCELLED.
  ///
  /// ttrpc has no cancel. twind's servers understand the frame that is sent for it; other servers ignore it, and work on
  /// until the stream or the connection ends. Close the client where that matters. The stream is not half-closed instead,
  /// because a server would take an incomplete upload for a complete one.
  public func cancel() { channel.cancel(call, RPCError(.cancelled, "the caller gave the call up")) }
}
