// A calendar that stands still until a test lets time pass. Waits take their real time.

import Synchronization
import TwinStore

final class SteppedClock: TwinStore.Clock {
  private let micros = Atomic<Int64>(1_700_000_000_000_000)

  func wallMicros() -> Int64 { micros.load(ordering: .relaxed) }
  func monotonicNanos() -> UInt64 { SystemClock().monotonicNanos() }
  func pause(micros: UInt32) { SystemClock().pause(micros: micros) }
  func advance(by micros: Int64) { self.micros.wrappingAdd(micros, ordering: .relaxed) }
}
