// Suggests the name that a misspelt one probably means.

package enum NearestName {
  /// The known name with the smallest edit distance, at most a third of its letters; nil: none is close.
  package static func of(_ name: String, in known: [String]) -> String? {
    let distances = known.map { (name: $0, distance: distance(name, $0)) }
    guard let nearest = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return nearest.distance * 3 <= max(name.count, nearest.name.count) + 1 ? nearest.name : nil
  }

  /// Letters to insert, remove, replace or swap with the next one.
  private static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left), Array(right))
    var before: [Int] = []
    var last = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var next = [i + 1]
      for (j, other) in right.enumerated() {
        var cost = min(last[j] + (letter == other ? 0 : 1), last[j + 1] + 1, next[j] + 1)
        if i > 0, j > 0, letter == right[j - 1], other == left[i - 1] { cost = min(cost, before[j - 1] + 1) }
        next.append(cost)
      }
      (before, last) = (last, next)
    }
    return last[right.count]
  }
}
