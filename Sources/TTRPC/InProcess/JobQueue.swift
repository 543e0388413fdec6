// Jobs that other threads post to a server in this process, and the wake-up for them.

import Threads

/// The executor of an in-process session: jobs wait here for the next calling thread. The session owns it.
final class JobQueue: Executor {
  private let lock: Lock
  private let news: Condition
  // Guarded by `lock`.
  nonisolated(unsafe) private var jobs: [@Sendable () -> Void] = []
  nonisolated(unsafe) private var newsCount = 0

  init() {
    lock = Lock()
    news = Condition(lock)
  }

  func post(for call: ServerCall?, _ job: @escaping @Sendable () -> Void) {
    lock.withLock { jobs.append(job) }
    announce()
  }

  func take() -> (@Sendable () -> Void)? { lock.withLock { jobs.isEmpty ? nil : jobs.removeFirst() } }

  /// Changes with every announcement.
  var mark: Int { lock.withLock { newsCount } }

  /// Wakes waiting threads.
  func announce() {
    lock.withLock {
      newsCount += 1
      news.broadcast()
    }
  }

  /// Waits for an announcement since the mark was read, at most until the deadline on the monotonic clock.
  func wait(since mark: Int, until deadlineNanos: UInt64) {
    lock.withLock { if newsCount == mark { news.wait(until: deadlineNanos) } }
  }
}
