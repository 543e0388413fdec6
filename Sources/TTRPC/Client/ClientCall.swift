// The client's state of a call: what has arrived and has not been read yet.

/// Protected by the channel's lock.
package final class ClientCall: @unchecked Sendable {
  /// The overhead of a waiting message in addition to its bytes.
  private static let messageBytes = 64

  package let id: UInt32
  var state: ClientStreamState
  /// Messages from the server that have not been read.
  private(set) var messages: [[UInt8]] = []
  private var firstMessage = 0
  private(set) var waitingBytes = 0
  /// How the call ended: with the payload of its response, empty for streams.
  package private(set) var outcome: Result<[UInt8], RPCError>?
  /// Called once, without the lock, when something arrives or the call ends. It is removed first, so that it does not
  /// keep an ended call alive.
  var onNews: (@Sendable () -> Void)?
  /// Ends the call at its deadline if no thread is waiting for it.
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
