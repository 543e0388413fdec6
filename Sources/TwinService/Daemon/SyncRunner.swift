// The thread that syncs the journal: at once if a write waits for it, otherwise twice a second.

import CLinux
import Glibc
import Logging
import Threads
import TwinStore

/// Runs until it is stopped. It also writes commits with MEMORY durability, and prepares the journal's next segment.
package final class SyncRunner: @unchecked Sendable {
  /// JOURNALED commits are synced within a second.
  private static let intervalNanos: UInt64 = 500_000_000
  /// MEMORY commits are written within 10 ms.
  private static let flushNanos: UInt64 = 8_000_000

  private static let gatherNanosMax: UInt64 = 2_000_000

  private let store: Store
  private let logger: Logger
  private let onFailure: @Sendable (StoreError) -> Void
  private let lock = Lock()
  private let news: Condition
  private var hasNews = false
  private var isStopping = false
  private var thread: Thread?
  private var hasFailed = false
  /// Whether a full disk or a shortage has been reported.
  private var isShort = false
  /// How long the last sync took.
  private var syncNanos: UInt64 = 0

  /// - Parameter onFailure: called once, when the store refuses further writes.
  package init(_ store: Store, logger: Logger, onFailure: @escaping @Sendable (StoreError) -> Void) {
    self.store = store
    self.logger = logger
    self.onFailure = onFailure
    news = Condition(lock)
  }

  package func start() {
    store.bell.answer { [weak self] in self?.wake() }
    thread = Thread(name: "sync") { self.run() }
  }

  /// Waits for a sync that is running.
  package func stop() {
    store.bell.answer(nil)
    lock.withLock {
      isStopping = true
      news.broadcast()
    }
    thread?.join()
  }

  private func wake() {
    lock.withLock {
      hasNews = true
      news.broadcast()
    }
  }

  private func run() {
    var nextSync = twind_monotonic_nanos() + Self.intervalNanos
    while wait(until: nextSync) {
      if let failure = store.failure {
        fail(failure)
        nextSync = twind_monotonic_nanos() + Self.intervalNanos
        continue
      }
      do {
        if store.wantsSync || twind_monotonic_nanos() >= nextSync {
          gather()
          let began = twind_monotonic_nanos()
          try store.sync()
          syncNanos = twind_monotonic_nanos() - began
          nextSync = twind_monotonic_nanos() + Self.intervalNanos
        } else if store.wantsFlush {
          guard pause(Self.flushNanos) else { return }
          try store.flush()
        }
        try store.prepareSegment()
        isShort = false
      } catch {
        if !error.isTemporary { continue }
        if !isShort { logger.error("\(error)") }
        isShort = true
      }
    }
  }

  /// Writers whose last write has just been acknowledged are about to send the next one. If a sync began at once, they
  /// would have to wait for the sync after it. So this waits until as many writers are waiting as wrote together
  /// recently, for at most three quarters of the time that a sync takes.
  private func gather() {
    store.gatherWriters(until: twind_monotonic_nanos() + min(syncNanos * 3 / 4, Self.gatherNanosMax))
  }

  private func fail(_ failure: StoreError) {
    if hasFailed { return }
    hasFailed = true
    onFailure(failure)
  }

  /// Waits for news or until the time. False if the runner must stop.
  private func wait(until nanos: UInt64) -> Bool {
    lock.withLock {
      while !hasNews && !isStopping && twind_monotonic_nanos() < nanos { news.wait(until: nanos) }
      hasNews = false
      return !isStopping
    }
  }

  /// Waits for more commits to write together, unless a write waits for a sync.
  private func pause(_ nanos: UInt64) -> Bool {
    let end = twind_monotonic_nanos() + nanos
    return lock.withLock {
      while !isStopping && !hasNews && twind_monotonic_nanos() < end { news.wait(until: end) }
      return !isStopping
    }
  }
}
