// Two contestants side by side.

/// A ratio of ours to theirs, round by round.
struct Contest {
  /// "read/redis-get"
  let name: String
  let ours: Contestant
  let theirs: Contestant
  var metric = Metric.median
  /// What the ratio is to be: at least this for a rate, at most for others. nil = no budget.
  var budget: Double?

  /// Of each round.
  var ratios: [Double] {
    zip(ours.scores, theirs.scores).compactMap { (ours, theirs) in
      guard let ours = ours[metric], let theirs = theirs[metric], theirs > 0 else { return nil }
      return ours / theirs
    }
  }

  var ratio: Double { Self.median(ratios) }

  var isMet: Bool? { budget.map { metric.isMet(ratio, budget: $0) } }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
