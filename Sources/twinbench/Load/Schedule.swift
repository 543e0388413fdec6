// When calls are to begin.

import Foundation

/// Gaps of an open loop.
enum Arrivals: String, CaseIterable { case fixed, poisson }

/// The intended beginnings of one connection's calls, on the monotonic clock.
///
/// An open loop's do not depend on replies: a daemon that stalls gets everything that was due meanwhile, and each
/// call's latency counts from its intended beginning. A closed loop's next call is always due.
struct Schedule {
  private let meanGap: Double
  private let arrivals: Arrivals
  private var random: RandomNumbers
  /// In nanoseconds; a fraction, so that gaps do not drift.
  private var moment: Double

  /// An open loop.
  /// - Parameters:
  ///   - rate: calls a second of this connection.
  ///   - offset: of its first call, as a part of a gap.
  init(rate: Double, _ arrivals: Arrivals, from start: UInt64, offset: Double, seed: UInt64) {
    meanGap = 1e9 / rate
    self.arrivals = arrivals
    random = RandomNumbers(seed: seed)
    moment = Double(start) + offset * meanGap
  }

  /// The next call's beginning, in nanoseconds.
  var next: UInt64 { UInt64(moment) }

  mutating func advance() {
    moment += arrivals == .fixed ? meanGap : -log(1 - random.fraction()) * meanGap
  }

  /// Leaves out what was due before a moment and did not begin: a warm-up's backlog is not the measurement's.
  mutating func skip(to start: UInt64) {
    if arrivals == .fixed {
      moment += ((Double(start) - moment) / meanGap).rounded(.up) * meanGap
    } else {
      moment = Double(start)
      advance()
    }
  }

  /// How many calls are due before a moment and were not begun. A Poisson schedule's are counted by their mean.
  func dueCount(before end: UInt64) -> Int { max(0, Int((Double(end) - moment) / meanGap)) }
}
