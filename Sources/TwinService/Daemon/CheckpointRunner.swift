// The thread that makes checkpoints, at every interval or when the store asks for one.

import Threads
import CLinux
import Logging
import TTRPC
import TwinStore

/// Runs until it is stopped. Failed checkpoints are retried with growing pauses.
final class CheckpointRunner: @unchecked Sendable {
  /// How often it checks whether the store wants a checkpoint early.
  private static let lookNanos: UInt64 = 100_000_000
  private static let pauseNanosMax: UInt64 = 2_000_000_000

  private let store: Store
  private let intervalNanos: UInt64
  private let logger: Logger
  private let lock = Lock()
  private let stopped: Condition
  private var isStopping = false
  /// Used by the thread only.
  private var freed: FreedMemory
  private var troubles: [String] = []
  private var thread: Thread?

  init(_ store: Store, interval: Duration, buffers: BufferBudget, logger: Logger) {
    freed = FreedMemory(buffers)
    self.store = store
    self.logger = logger
    intervalNanos = UInt64(max(interval / .nanoseconds(1), 1))
    stopped = Condition(lock)
  }

  func start() { thread = Thread(name: "checkpoint") { self.run() } }

  /// Waits for a checkpoint that is running.
  func stop() {
    lock.withLock {
      isStopping = true
      stopped.broadcast()
    }
    thread?.join()
  }

  private func run() {
    var next = twind_monotonic_nanos() + intervalNanos
    var failures = 0
    while wait(until: next) {
      do {
        let report = try store.checkpoint()
        failures = 0
        if report.twinCount > 0 {
          logger.debug(
            "checkpoint", metadata: ["twins": "\(report.twinCount)", "micros": "\(report.durationMicros)"])
        }
        next = twind_monotonic_nanos() + intervalNanos
      } catch {
        // Said once, not at every try.
        if failures == 0 {
          logger.error(
            "checkpoint failed; nothing is lost, the journal still has all changes: \(error)")
        }
        troubles = store.troubles
        let pause = min(Self.lookNanos << UInt64(min(failures, 10)), Self.pauseNanosMax)
        failures += 1
        // Whatever the store wants meanwhile: the disk is given time.
        guard wait(nanos: pause) else { return }
        next = twind_monotonic_nanos()
      }
    }
  }

  /// Waits until the time, or until the store wants a checkpoint. False if the runner must stop.
  private func wait(until next: UInt64) -> Bool {
    while true {
      freed.look()
      warn()
      let now = twind_monotonic_nanos()
      if now >= next || store.wantsCheckpoint { return !lock.withLock { isStopping } }
      guard wait(nanos: min(next - now, Self.lookNanos)) else { return false }
    }
  }

  /// Logs each problem once, and when all of them are resolved.
  private func warn() {
    let now = store.troubles
    for trouble in now where !troubles.contains(trouble) { logger.warning("\(trouble)") }
    if now.isEmpty && !troubles.isEmpty { logger.notice("all problems are resolved") }
    troubles = now
  }

  private func wait(nanos: UInt64) -> Bool {
    lock.withLock {
      if !isStopping { stopped.wait(until: twind_monotonic_nanos() + nanos) }
      return !isStopping
    }
  }
}
