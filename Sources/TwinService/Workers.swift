// A few threads for what may block: cold reads, histories and lists, checkpoints; and one for commits that have to wait.

import Threads
import TTRPC

/// A pool with a bounded queue.
package final class Workers: @unchecked Sendable {
  private let lock = Lock()
  private let news: Condition
  private var jobs: [@Sendable () -> Void] = []
  private var isStopping = false
  private var threads: [Thread] = []

  package init(name: String, count: Int = 2) {
    news = Condition(lock)
    threads = (0..<count).map { index in Thread(name: "\(name)-\(index)") { self.run() } }
  }

  /// Runs the job on a worker. Throws RESOURCE_EXHAUSTED when too many wait.
  func submit(_ job: @escaping @Sendable () -> Void) throws(RPCError) {
    try lock.withLock { () throws(RPCError) in
      if isStopping { throw RPCError(.unavailable, "the daemon is stopping: try again when it is back") }
      guard jobs.count < ServiceLimits.workersQueueMax else {
        throw RPCError(
          .resourceExhausted,
          "\(jobs.count) requests wait for the disk (workersQueueMax \(ServiceLimits.workersQueueMax)): try again later"
        )
      }
      jobs.append(job)
      news.broadcast()
    }
  }

  /// Finishes what was submitted and ends the threads.
  package func stop() {
    lock.withLock {
      isStopping = true
      news.broadcast()
    }
    for thread in threads { thread.join() }
  }

  private func run() {
    while let job = next() { job() }
  }

  private func next() -> (@Sendable () -> Void)? {
    lock.withLock {
      while jobs.isEmpty && !isStopping { news.wait() }
      return jobs.isEmpty ? nil : jobs.removeFirst()
    }
  }
}
