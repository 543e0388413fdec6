// Latencies of one thread, taken from it while it goes on.

import Histogram
import Threads

typealias Latencies = Histogram<UInt64>

extension Histogram<UInt64> {
  /// The longest latency that is told apart: a minute.
  static let nanosMax: UInt64 = 60_000_000_000

  /// Three digits, in nanoseconds; grows with what it holds.
  static var empty: Latencies {
    var latencies = Latencies(highestTrackableValue: 10_000_000, numberOfSignificantValueDigits: .three)
    latencies.autoResize = true
    return latencies
  }
}

/// Two histograms that change places: the thread that measures never waits for the one that collects.
final class Recorder: @unchecked Sendable {
  private let lock = Lock()
  // Guarded by `lock`.
  private var filling = Latencies.empty
  // The collector's.
  private var taken = Latencies.empty

  func record(_ nanos: UInt64) {
    lock.withLock { _ = filling.record(min(nanos, Latencies.nanosMax)) }
  }

  /// Moves what came since the last time to the collector.
  func take(into total: inout Latencies) {
    lock.withLock { swap(&filling, &taken) }
    total.add(taken)
    taken.reset()
  }
}
