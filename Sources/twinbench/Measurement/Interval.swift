// One stretch of a run.

/// What ended in it.
struct Interval {
  /// Seconds from the beginning of the measurement.
  let start: Double
  let seconds: Double
  let latencies: Latencies.Summary
  /// Of the daemon at the end of the interval, when its process is known.
  let process: ProcessFigures?
}

extension Latencies {
  /// In nanoseconds.
  struct Summary {
    let count: UInt64
    let p50: UInt64
    let p99: UInt64
    let p999: UInt64
    let max: UInt64
  }

  var summary: Summary {
    Summary(
      count: totalCount, p50: valueAtPercentile(50), p99: valueAtPercentile(99), p999: valueAtPercentile(99.9), max: max
    )
  }

  /// The percentiles that every run prints.
  static let percentiles: [(name: String, percentile: Double)] = [
    ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("p99.99", 99.99),
  ]

  /// In nanoseconds; never above the maximum, which a bucket's upper end may be.
  func nanos(at percentile: Double) -> UInt64 { Swift.min(valueAtPercentile(percentile), max) }
}
