// Which facts are kept: all, or by space those of a time, or the newest of each twin.
//
// Promises: whatever the rule, a twin's present and its future stay as they are, and so does every read of the past at
// or after the twin's horizon (`facts_from`), on both axes. Only older understandings are dropped.

import TwinCore

package struct Retention: Equatable, Sendable {
  package enum Rule: Equatable, Sendable {
    case all
    /// Facts recorded in the last so many microseconds.
    case age(Int64)
    /// At least so many facts of each twin, the newest; a few times as many may be there.
    case newest(Int)
  }

  /// By space.
  package var rules: [String: Rule]
  /// Of spaces without a rule.
  package var others: Rule

  package init(rules: [String: Rule] = [:], others: Rule = .all) {
    self.rules = rules
    self.others = others
  }

  func rule(for space: UnsafeRawBufferPointer) -> Rule {
    rules.isEmpty ? others : rules[String(decoding: space, as: UTF8.self)] ?? others
  }

  /// Nothing is ever dropped.
  var keepsAll: Bool { others == .all && rules.values.allSatisfy { $0 == .all } }

  /// No rule by count bites on a twin with at most so many facts.
  var newestMin: Int64 {
    let counts = ([others] + rules.values).compactMap { rule in
      if case .newest(let count) = rule { Int64(count) } else { nil }
    }
    return counts.min() ?? .max
  }
}

extension Retention.Rule {
  /// Whether a look at the facts can pay: each fact is looked at a few times, however often its twin is written.
  func isDue(_ row: TwinRow, now: TrimTimes, isGrown: Bool) -> Bool {
    switch self {
    case .all: return false
    case .age(let age):
      // Those trimmed a short time ago have lost little since.
      guard let now = now.byAge, row.factCount > 1, !isGrown else { return false }
      return row.factsFrom < now.subtractingClamped(age).subtractingClamped(age / 16)
    case .newest(let count):
      let standing = Int64(row.image.entryCount + row.image.pendingCount)
      return row.factCount > (isGrown ? 2 * (Int64(count) + standing) + 16 : Int64(count))
    }
  }
}

extension Int64 {
  func subtractingClamped(_ other: Int64) -> Int64 {
    let (result, isOverflow) = subtractingReportingOverflow(other)
    return isOverflow ? (other > 0 ? .min : .max) : result
  }
}
