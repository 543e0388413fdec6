// Two contestants side by side.

/// A ratio of ours to theirs, round by round.
struct Contest {
  enum Metric {
    /// Median latency: below 1, ours is faster.
    case latency
    /// Calls a second: above 1, ours does more.
    case throughput
  }

  /// "read/redis-get"
  let name: String
  let ours: Contestant
  let theirs: Contestant
  var metric = Metric.latency
  /// What the ratio is to be: at most this for latency, at least for throughput. nil = no budget.
  var budget: Double?

  /// Of each round.
  var ratios: [Double] {
    zip(ours.scores, theirs.scores).map { pair in
      metric == .latency ? pair.0.medianNanos / pair.1.medianNanos : pair.0.callsPerSecond / pair.1.callsPerSecond
    }
  }

  var isMet: Bool? {
    budget.map { metric == .latency ? Self.median(ratios) <= $0 : Self.median(ratios) >= $0 }
  }

  func figure(_ contestant: Contestant) -> Double {
    Self.median(contestant.scores.map { metric == .latency ? $0.medianNanos : $0.callsPerSecond })
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
