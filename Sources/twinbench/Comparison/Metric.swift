// What can be compared.

import TwinText

/// A figure of one turn. All but `rate` are better when they are smaller.
enum Metric: CaseIterable {
  /// Latency of the fastest tenth of the calls, in nanoseconds: of those during which nothing else ran.
  case fast
  /// Median latency, in nanoseconds.
  case median
  /// In nanoseconds.
  case mean
  /// Latency at p99.9, in nanoseconds.
  case tail
  /// Calls a second.
  case rate
  /// How long one thing took, in nanoseconds.
  case time
  /// Bytes for each twin.
  case memory

  var title: String {
    switch self {
    case .fast: "P10"
    case .median: "P50"
    case .mean: "MEAN"
    case .tail: "P99.9"
    case .rate: "CALLS/S"
    case .time: "TIME"
    case .memory: "MEMORY EACH"
    }
  }

  func text(_ value: Double) -> String {
    switch self {
    case .fast, .median, .mean, .tail, .time: TimeText.format(nanos: UInt64(max(value, 0)))
    case .rate: FixedText.grouped(UInt64(max(value, 0))) + "/s"
    case .memory: FixedText.bytes(UInt64(max(value, 0)))
    }
  }

  func isMet(_ ratio: Double, budget: Double) -> Bool { self == .rate ? ratio >= budget : ratio <= budget }

  /// `≤ 1.10`
  func text(budget: Double) -> String { "\(self == .rate ? "≥" : "≤") \(FixedText.format(budget, places: 2))" }
}

/// What one turn of one contestant found.
typealias Score = [Metric: Double]

extension Score {
  init(_ measurement: Measurement) {
    self = [
      .fast: Double(measurement.latencies.nanos(at: 10)), .median: Double(measurement.latencies.nanos(at: 50)),
      .mean: measurement.latencies.mean, .tail: Double(measurement.latencies.nanos(at: 99.9)),
      .rate: measurement.callsPerSecond,
    ]
  }
}
