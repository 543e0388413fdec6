// Where the store's times come from: a parameter, so that a test decides what time it is.

import CLinux
import Glibc

package protocol Clock: Sendable {
  /// Microseconds since the Unix epoch, UTC.
  func wallMicros() -> Int64
  /// Nanoseconds of a clock that only goes forward.
  func monotonicNanos() -> UInt64
  /// Lets time pass.
  func pause(micros: UInt32)
}

package struct SystemClock: Clock {
  package init() {}
  package func wallMicros() -> Int64 { twind_wall_micros() }
  package func monotonicNanos() -> UInt64 { twind_monotonic_nanos() }
  package func pause(micros: UInt32) { usleep(micros) }
}
