// One call as its client sees it: what has come and has not been taken yet.

/// Guarded by its channel's lock.
final class ClientCall: @unchecked Sendable {
  let id: UInt32
  var state: ClientStreamState
  /// Messages of the server's stream that nobody has taken.
  private(set) var messages: [[UInt8]] = []
  private var firstMessage = 0
  private(set) var waitingBytes = 0
  /// How the call ended: with the payload of its response, empty for streams.
  private(set) var outcome: Result<[UInt8], RPCError>?
  /// Called without the lock after something has come, by whoever read it.
  var onChange: (@Sendable () -> Void)?

  init(id: UInt32, shape: StreamingShape) {
    self.id = id
    state = ClientStreamState(shape: shape)
  }

  var hasNews: Bool { firstMessage < messages.count || outcome != nil }

  func received(_ message: UnsafeRawBufferPointer) {
    messages.append([UInt8](message))
    waitingBytes += message.count
  }

  func takeMessage() -> [UInt8]? {
    guard firstMessage < messages.count else { return nil }
    let message = messages[firstMessage]
    messages[firstMessage] = []
    firstMessage += 1
    waitingBytes -= message.count
    if firstMessage == messages.count {
      messages.removeAll(keepingCapacity: true)
      firstMessage = 0
    }
    return message
  }

  func end(_ result: Result<[UInt8], RPCError>) {
    guard outcome == nil else { return }
    outcome = result
    state.abandon()
  }
}
