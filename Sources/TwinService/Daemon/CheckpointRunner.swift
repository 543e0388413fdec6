// The thread that checkpoints, every interval or when the store asks for it.

import Threads
import CLinux
import Logging
import TTRPC
import TwinStore

/// Runs until it is stopped. A checkpoint that fails is tried again with growing pauses.
final class CheckpointRunner: @unchecked Sendable {
  /// How often the store is asked whether it wants one early.
  private static let lookNanos: UInt64 = 100_000_000
  private static let pauseNanosMax: UInt64 = 2_000_000_000

  private let store: Store
  private let intervalNanos: UInt64
  private let logger: Logger
  private let lock = Lock()
  private let stopped: Condition
  private var isStopping = false
  /// Touched by the thread only.
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
        if failures == 0 { logger.error("checkpoint failed, nothing is lost, the journal has it: \(error)") }
        troubles = store.troubles
        let pause = min(Self.lookNanos << UInt64(min(failures, 10)), Self.pauseNanosMax)
        failures += 1
        // Whatever the store wants meanwhile: the disk is given time.
        guard wait(nanos: pause) else { return }
        next = twind_monotonic_nanos()
      }
    }
  }

  /// Waits for the time, or for the store to want a checkpoint. False when the runner is to stop.
  private func wait(until next: UInt64) -> Bool {
    while true {
      freed.look()
      warn()
      let now = twind_monotonic_nanos()
      if now >= next || store.wantsCheckpoint { return !lock.withLock { isStopping } }
      guard wait(nanos: min(next - now, Self.lookNanos)) else { return false }
    }
  }

  /// Each trouble once, and when all is well again.
  private func warn() {
    let now = store.troubles
    for trouble in now where !troubles.contains(trouble) { logger.warning("\(trouble)") }
    if now.isEmpty && !troubles.isEmpty { logger.notice("all is well again") }
    troubles = now
  }

  private func wait(nanos: UInt64) -> Bool {
    lock.withLock {
      if !isStopping { stopped.wait(until: twind_monotonic_nanos() + nanos) }
      return !isStopping
    }
  }
}
