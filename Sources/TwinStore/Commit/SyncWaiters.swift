// Who waits for a place in the journal to be synced. The sync thread tells them, all of a group at once.
//
// A place is a count of bytes: a sequence would not do, since the result of a write that changes nothing, kept for its
// idempotency key, has the sequence of the commit before it.

import Threads
import TwinCore

final class SyncWaiters: @unchecked Sendable {
  typealias Wake = @Sendable (TwinError?) -> Void

  private let lock: Lock
  /// As many wait as are expected.
  private let gathered: Condition
  private var waiters: [(place: Int, wake: Wake)] = []
  private var synced = 0
  /// How many write at a time: the most of late.
  private var writerCount = 0
  /// Syncs since as many were seen. Some of them make the number smaller.
  private var missedCount = 0
  private static let missesMax = 4
  private var failure: TwinError?
  private let bell: WorkBell

  /// - Parameter bell: rung when somebody begins to wait.
  init(bell: WorkBell) {
    self.bell = bell
    lock = Lock()
    gathered = Condition(lock)
  }

  /// Calls `wake` once: at once or from the thread that syncs, with an error when it never will be.
  func wait(for place: Int, _ wake: @escaping Wake) {
    enum Standing { case first, waiting, synced, failed(TwinError) }
    let standing: Standing = lock.withLock {
      if place <= synced { return .synced }
      if let failure { return .failed(failure) }
      waiters.append((place, wake))
      if waiters.count >= writerCount { gathered.broadcast() }
      return waiters.count == 1 ? .first : .waiting
    }
    switch standing {
    case .first: bell.ring()
    case .waiting: return
    case .synced: wake(nil)
    case .failed(let failure): wake(failure)
    }
  }

  /// Everything up to this place is synced.
  func advance(to place: Int) {
    let ready = lock.withLock { () -> [Wake] in
      synced = max(synced, place)
      estimateWriters()
      let ready = waiters.filter { $0.place <= synced }.map(\.wake)
      waiters.removeAll { $0.place <= synced }
      gathered.broadcast()
      return ready
    }
    for wake in ready { wake(nil) }
  }

  /// Nothing will be synced any more.
  func fail(_ error: TwinError) {
    let all = lock.withLock { () -> [Wake] in
      failure = failure ?? error
      gathered.broadcast()
      defer { waiters = [] }
      return waiters.map(\.wake)
    }
    for wake in all { wake(error) }
  }

  /// Those whose turn it is are about to come back, and those who came meanwhile wait: together they are who writes. Called
  /// once for each sync.
  private func estimateWriters() {
    missedCount += 1
    if waiters.count < writerCount && missedCount < Self.missesMax { return }
    writerCount = max(waiters.count, writerCount - max(writerCount / 8, 1))
    missedCount = 0
  }

  /// Returns when as many writers are waiting as wrote together recently, or at this time on the monotonic clock.
  func gather(until nanos: UInt64, _ clock: any Clock) {
    lock.withLock {
      while !waiters.isEmpty && waiters.count < writerCount && failure == nil && clock.monotonicNanos() < nanos {
        gathered.wait(until: nanos)
      }
    }
  }

  var isEmpty: Bool { lock.withLock { waiters.isEmpty } }
}

/// Tells the store's runner that there is something to do: a sync somebody waits for, commits to be written, a failure.
package final class WorkBell: @unchecked Sendable {
  private let lock = Lock()
  private var action: (@Sendable () -> Void)?

  /// `action` is called on a committing thread, under locks: it must not block and not call the store.
  package func answer(_ action: (@Sendable () -> Void)?) { lock.withLock { self.action = action } }

  func ring() { lock.withLock { action }?() }
}
