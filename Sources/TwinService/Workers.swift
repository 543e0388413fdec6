// Threads for work that may block: cold reads, histories, lists and checkpoints; and one for commits that have to wait.

import CLinux
import TTRPC
import Threads

/// A pool with a bounded, fair queue.
package final class Workers: @unchecked Sendable {
  package typealias Job = @Sendable () -> Void

  private let lock = Lock()
  private let news: Condition
  private var queue = FairQueue<Job>()
  private var isStopping = false
  private var threads: [Thread] = []

  /// - Parameter niceness: as of `nice`; 0 = no less time than a thread that serves.
  package init(name: String, count: Int = 2, niceness: Int32 = 0) {
    news = Condition(lock)
    threads = (0..<count).map { index in Thread(name: "\(name)-\(index)", niceness: niceness) { self.run() } }
  }

  /// Runs the job on a worker, after those of the same connection. Throws RESOURCE_EXHAUSTED when too many of its user
  /// wait.
  func submit(for call: ServerCall, _ job: @escaping Job) throws(RPCError) {
    try add(job, for: call, countMax: ServiceLimits.workersQueueMax, isNext: false)
  }

  /// Runs the rest of a job that runs on a worker now: after other connections have had their turn, and before other
  /// jobs of its own connection, so that one of them is under way and not all.
  func resubmit(for call: ServerCall, _ job: @escaping Job) throws(RPCError) {
    try add(job, for: call, countMax: .max, isNext: true)
  }

  private func add(_ job: @escaping Job, for call: ServerCall, countMax: Int, isNext: Bool) throws(RPCError) {
    let owner = FairQueue<Job>.Owner(user: call.peer.uid, connection: call.connection)
    try lock.withLock { () throws(RPCError) in
      if isStopping { throw RPCError(.unavailable, "the daemon is stopping: try again after it has restarted") }
      let count = queue.count(of: owner.user)
      guard count < countMax else {
        throw RPCError(
          .resourceExhausted,
          "\(count) requests of user \(owner.user) wait for the disk (workersQueueMax \(countMax)): try again later",
          limit: .init("workersQueueMax", maximum: countMax, actual: count + 1))
      }
      queue.add(job, of: owner, isNext: isNext)
      news.signal()
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
    while let (job, owner) = next() {
      let start = twind_monotonic_nanos()
      job()
      let nanos = twind_monotonic_nanos() &- start
      lock.withLock { if queue.end(owner, nanos: nanos) { news.signal() } }
    }
  }

  private func next() -> (job: Job, owner: FairQueue<Job>.Owner)? {
    lock.withLock {
      while true {
        if let next = queue.next() { return next }
        // While it stops, a job that waits for another of its connection is told of by that one.
        if isStopping && queue.count == 0 {
          news.broadcast()
          return nil
        }
        news.wait()
      }
    }
  }
}
