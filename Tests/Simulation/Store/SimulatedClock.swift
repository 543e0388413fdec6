// The clock of a simulated machine: it goes on when the history says so, and while somebody waits. What it shows as the
// time of day can be set, back too.

import Threads
import TwinStore

final class SimulatedClock: Clock, @unchecked Sendable {
  static let beginning: Int64 = 1_750_000_000_000_000

  private let lock = Lock()
  private var wall = SimulatedClock.beginning
  private var latestWall = SimulatedClock.beginning
  /// How far the time of day has jumped, which no process at hand has seen pass.
  private var jumped: Int64 = 0
  /// What of that is taken for the time all the same.
  private var believed: Int64 = 0
  /// Far below the real machine's: a wait until a time of this clock ends at once.
  private var monotonic: UInt64 = 1
  private var random: Random

  init(random: Random) { self.random = random }

  func wallMicros() -> Int64 { lock.withLock { wall } }

  /// Goes with the time of day, but for jumps: small steps are believed anyway.
  func elapsedNanos() -> UInt64 { lock.withLock { UInt64(wall - jumped) * 1_000 } }

  /// The latest time of day that it ever showed, jumps that were not believed left out.
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

  /// The time of day jumps, and that is not believed.
  func jump(by micros: Int64) {
    lock.withLock {
      wall += micros
      jumped += micros
    }
  }

  /// Somebody who has not seen it jump takes it as it is.
  func believe() {
    lock.withLock {
      believed = jumped
      latestWall = max(latestWall, wall)
    }
  }

  /// Somebody sets the time of day.
  func set(by micros: Int64) {
    lock.withLock {
      wall += micros
      latestWall = max(latestWall, wall - jumped + believed)
    }
  }
}
