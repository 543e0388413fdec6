// One call as its client sees it: what has come and has not been taken yet.

/// Guarded by its channel's lock.
package final class ClientCall: @unchecked Sendable {
  /// What a waiting message costs beside its bytes.
  private static let messageBytes = 64

  package let id: UInt32
  var state: ClientStreamState
  /// Messages of the server's stream that nobody has taken.
  private(set) var messages: [[UInt8]] = []
  private var firstMessage = 0
  private(set) var waitingBytes = 0
  /// How the call ended: with the payload of its response, empty for streams.
  package private(set) var outcome: Result<[UInt8], RPCError>?
  /// Called once, without the lock, by whoever read what came or ended the call. It is given away when it is called, so
  /// that it does not hold a call that has ended.
  var onNews: (@Sendable () -> Void)?
  /// Ends the call at its deadline when nobody waits in place.
  var expiry: Task<Void, any Error>?

  init(id: UInt32, shape: StreamingShape) {
    self.id = id
    state = ClientStreamState(shape: shape)
  }

  var hasNews: Bool { firstMessage < messages.count || outcome != nil }

  func received(_ message: UnsafeRawBufferPointer) {
    messages.append([UInt8](message))
    waitingBytes += message.count + Self.messageBytes
  }

  package func takeMessage() -> [UInt8]? {
    guard firstMessage < messages.count else { return nil }
    let message = messages[firstMessage]
    messages[firstMessage] = []
    firstMessage += 1
    waitingBytes -= message.count + Self.messageBytes
    if firstMessage == messages.count {
      messages.removeAll(keepingCapacity: true)
      firstMessage = 0
    }
    return message
  }

  func takeOnNews() -> (@Sendable () -> Void)? {
    defer { onNews = nil }
    return onNews
  }

  func end(_ result: Result<[UInt8], RPCError>) {
    guard outcome == nil else { return }
    outcome = result
    state.abandon()
    expiry?.cancel()
    expiry = nil
  }
}
