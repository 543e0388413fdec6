// The present of one store: the machine's wall clock, but never before what the store has already relied on.
//
// Promises: no commit is recorded before an earlier one, nor before a time that a twin was derived for (which drops what
// has ended by then) or that history was trimmed by, whatever the machine's clock does. Across restarts neither: the
// journal has the times of commits, and the checkpoint row the time reached when it was written.

import Synchronization

final class SteadyClock: Clock {
  private let clock: any Clock
  private let floor = Atomic<Int64>(.min)

  init(_ clock: any Clock) { self.clock = clock }

  /// Never earlier than `reached`.
  func wallMicros() -> Int64 { max(clock.wallMicros(), reached) }

  func monotonicNanos() -> UInt64 { clock.monotonicNanos() }

  func pause(micros: UInt32) { clock.pause(micros: micros) }

  /// The latest time that something was made to depend on, microseconds since the epoch.
  var reached: Int64 { floor.load(ordering: .relaxed) }

  /// Something depends on this time from here on.
  func reach(_ micros: Int64) { floor.max(micros, ordering: .relaxed) }
}
