// How much the writer has written, for the thread that reads.

import Threads

final class Written: @unchecked Sendable {
  private let lock = Lock()
  private var writes = 0
  private var isFinished = false
  /// Set by the writer before it finishes.
  var unsent = 0

  var count: Int { lock.withLock { writes } }
  var isComplete: Bool { lock.withLock { isFinished } }

  func add() { lock.withLock { writes += 1 } }
  func finish() { lock.withLock { isFinished = true } }
}
