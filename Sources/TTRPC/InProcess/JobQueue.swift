// What other threads have for a server in this process, and how whoever waits for it is woken.

import Threads

/// The executor of an in-process session: jobs wait here for a thread that comes by. It does not know the session, which
/// holds it.
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

  /// Wakes whoever waits.
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
