// A unary call that was begun and whose reply is taken later.

import Synchronization

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

  /// The reply, when it has come.
  public func wait() throws(RPCError) -> Received<Response> {
    try Received(channel.response(call, until: deadlineNanos))
  }

  /// The same for Swift concurrency: sends the call and suspends.
  func received() async throws -> Received<Response> {
    client.ensureReader(channel)
    channel.flush()
    let timer = channel.expire(call, at: deadlineNanos)
    defer { timer?.cancel() }
    let bytes: [UInt8] = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let resumed = Once()
        channel.onChange(call) {
          guard case (_, let outcome?) = channel.poll(call), resumed.claim() else { return }
          continuation.resume(with: outcome)
        }
      }
    } onCancel: {
      cancel()
    }
    return try Received(bytes)
  }

  /// Gives the call up.
  public func cancel() { channel.cancel(call, RPCError(.cancelled, "the caller gave the call up")) }
}

/// Lets one of several callers through.
private final class Once: Sendable {
  private let claimed = Atomic(false)

  func claim() -> Bool {
    claimed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
  }
}
