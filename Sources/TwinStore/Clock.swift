// Where the store's times come from: a parameter, so that a test decides what time it is.

import Glibc

package protocol Clock: Sendable {
  /// Microseconds since the Unix epoch, UTC.
  func wallMicros() -> Int64
  /// Nanoseconds of a clock that only goes forward.
  func monotonicNanos() -> UInt64
}

package struct SystemClock: Clock {
  package init() {}

  package func wallMicros() -> Int64 {
    let now = time(of: CLOCK_REALTIME)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
  }

  package func monotonicNanos() -> UInt64 {
    let now = time(of: CLOCK_MONOTONIC)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }

  private func time(of clock: clockid_t) -> timespec {
    var now = timespec()
    clock_gettime(clock, &now)
    return now
  }
}
