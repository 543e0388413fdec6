// A body on a thread of its own, which may fail.

import Threads

final class Outcome: @unchecked Sendable {
  private let lock = Lock()
  // Guarded by `lock`.
  private var isDone = false
  private var problem: (any Error)?
  private var thread: Thread?

  init(_ body: @escaping @Sendable () throws -> Void) {
    thread = Thread(name: "twinbench") { [self] in
      var found: (any Error)?
      do { try body() } catch { found = error }
      lock.withLock { (isDone, problem) = (true, found) }
    }
  }

  var isRunning: Bool { lock.withLock { !isDone } }

  /// Waits for the end. Why it failed; nil = it did not. Call once.
  func join() -> (any Error)? {
    thread?.join()
    return lock.withLock { problem }
  }
}
