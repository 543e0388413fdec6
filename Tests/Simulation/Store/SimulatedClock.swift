// The clock of a simulated machine: it goes on when the history says so, and while somebody waits. What it shows as the
// time of day can be set, back too.

import Threads
import TwinStore

final class SimulatedClock: Clock, @unchecked Sendable {
  static let beginning: Int64 = 1_750_000_000_000_000

  private let lock = Lock()
  private var wall = SimulatedClock.beginning
  private var latestWall = SimulatedClock.beginning
  /// Far below the real machine's: a wait until a time of this clock ends at once.
  private var monotonic: UInt64 = 1
  private var random: Random

  init(random: Random) { self.random = random }

  func wallMicros() -> Int64 { lock.withLock { wall } }

  /// The latest time of day that it ever showed.
  var latest: Int64 { lock.withLock { latestWall } }

  /// Now and then the disk was slow meanwhile.
  func monotonicNanos() -> UInt64 {
    lock.withLock {
      monotonic += random.chance(20) ? 2_000_000 : 1_000
      return monotonic
    }
  }

  func pause(micros: UInt32) { lock.withLock { monotonic += UInt64(micros) * 1_000 } }

  func advance(micros: Int64) {
    lock.withLock { monotonic += UInt64(micros) * 1_000 }
    set(by: micros)
  }

  /// Somebody sets the time of day.
  func set(by micros: Int64) {
    lock.withLock {
      wall += micros
      latestWall = max(latestWall, wall)
    }
  }
}
