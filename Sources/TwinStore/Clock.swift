// Where the store's times come from: a parameter, so that a test decides what time it is.

import CLinux
import Glibc

package protocol Clock: Sendable {
  /// Microseconds since the Unix epoch, UTC.
  func wallMicros() -> Int64
  /// Nanoseconds of a clock that only goes forward.
  func monotonicNanos() -> UInt64
  /// Nanoseconds of a clock that goes on while the machine is suspended, and that nobody sets.
  func elapsedNanos() -> UInt64
  /// Lets time pass.
  func pause(micros: UInt32)
}

extension Clock {
  /// Of a clock that never jumps.
  package func elapsedNanos() -> UInt64 { UInt64(clamping: wallMicros()) &* 1_000 }
}

package struct SystemClock: Clock {
  package init() {}
  package func wallMicros() -> Int64 { twind_wall_micros() }
  package func monotonicNanos() -> UInt64 { twind_monotonic_nanos() }
  package func elapsedNanos() -> UInt64 { twind_boot_nanos() }
  package func pause(micros: UInt32) { usleep(micros) }
}
