// What each fact of a history changed: the value before it, and whether it holds at the time of its commit.
//
// It follows the rule of the daemon's reads as of a time (Validity in TwinCore): where facts overlap, a fact with an
// end replaces all earlier ones; an open fact replaces those that do not begin later. Usually it only has to look at
// the previous fact of the attribute, unless facts arrive out of order.

import TwinClient

/// A fact and what it changed.
package struct Difference: Equatable, Sendable {
  package let fact: Fact
  /// The value before it; nil: none.
  package let before: Value?
  /// Whether the fact changes the value: late facts come after a newer value, others are about another time.
  package let counts: Bool

  package init(fact: Fact, before: Value?, counts: Bool) {
    self.fact = fact
    self.before = before
    self.counts = counts
  }
}

extension [Fact] {
  /// What each changed. These are all facts about the attributes concerned, from the first one on, in the order of
  /// their recording.
  ///
  /// - Parameter time: what they changed at this valid time; nil: where each begins to hold, and whether it counts
  /// when
  ///   it is recorded.
  package func differences(at time: Int64? = nil) -> [Difference] {
    var lines: [String: AttributeLine] = [:]
    return map { fact in
      guard fact.change != .deletion else {
        for name in lines.keys { lines[name]?.append(fact) }
        return Difference(fact: fact, before: nil, counts: true)
      }
      let before = lines[fact.attribute]?.winner(at: time ?? fact.validFrom)?.value
      lines[fact.attribute, default: AttributeLine()].append(fact)
      let winner = lines[fact.attribute]?.winner(at: time ?? fact.recordedAt)
      return Difference(fact: fact, before: before, counts: winner == fact)
    }
  }
}

extension Difference {
  /// `basic → pro`, `3 → 5 (+2)`, `pro → removed`.
  /// - Parameter width: characters that a value may have.
  package func change(width: Int = 40) -> String {
    let old = before.map { $0.compact(width: width) + " → " } ?? ""
    switch fact.change {
    case .set(let value): return old + value.compact(width: width)
    case .increment(let value, by: let delta):
      let sum = delta.jsonText.hasPrefix("-") ? delta.jsonText : "+" + delta.jsonText
      return "\(old)\(value.compact(width: width)) (\(sum))"
    case .removal: return old + "removed"
    case .deletion: return "twin deleted"
    }
  }

  /// The same within so many columns of a terminal, where there is room for the values' beginnings.
  package func change(within room: Int) -> String {
    let whole = change(width: room)
    if DisplayText.columnCount(whole) <= room { return whole }
    // Two values, each with its quotes and the mark of a cut, and the arrow.
    let width = before == nil ? room - 3 : (room - 9) / 2
    return change(width: max(8, width))
  }

  /// The kind, and that of the value before if it was another; `-` for a deletion.
  package var kinds: String {
    let old = before?.kind
    switch fact.change {
    case .set(let value), .increment(let value, by: _):
      let changed = old.flatMap { $0 == value.kind ? nil : "\($0.rawValue) → " }
      return (changed ?? "") + value.kind.rawValue
    case .removal: return old?.rawValue ?? "-"
    case .deletion: return "-"
    }
  }

  /// As the fact's; `late` marks one behind a newer value.
  package var validity: String {
    let isLate = fact.validFrom < fact.recordedAt && fact.validTo == nil && !counts
    return fact.validity + (isLate ? ", late" : "")
  }

  /// The same on one line, or on two.
  package func validityLines(within room: Int) -> [String] {
    let whole = validity
    if whole.isEmpty { return [] }
    guard whole.utf8.count > room, let end = whole.firstRange(of: " until ") else { return [whole] }
    return [String(whole[..<end.lowerBound]), String(whole[whole.index(after: end.lowerBound)...])]
  }
}

extension Fact {
  /// When it holds, where that is not from its recording on: `as of …` in the past, `from …` in the future, `until …`.
  /// Empty = from its recording on.
  package var validity: String {
    var text: [String] = []
    if validFrom < recordedAt { text.append("as of \(TimestampText.local(validFrom))") }
    if validFrom > recordedAt { text.append("from \(TimestampText.local(validFrom))") }
    if let validTo { text.append("until \(TimestampText.local(validTo))") }
    return text.joined(separator: " ")
  }
}

/// The facts of one attribute and the deletions of its twin, in the order of their recording.
private struct AttributeLine {
  private var facts: [Fact] = []
  /// For each fact the latest beginning among those before it.
  private var latestBefore: [Int64] = []
  private var latest = Int64.min

  mutating func append(_ fact: Fact) {
    facts.append(fact)
    latestBefore.append(latest)
    if fact.change != .deletion { latest = Swift.max(latest, fact.validFrom) }
  }

  /// The fact that counts at this valid time, a removal among them.
  func winner(at time: Int64) -> Fact? {
    // Nothing before this one matters.
    let start = facts.indices.last { isDecided(by: $0, at: time) } ?? 0
    var winner: Fact?
    for fact in facts[start...] where holds(fact, at: time) {
      if fact.change == .deletion {
        winner = nil
      } else if fact.validTo != nil || winner.map({ $0.validFrom <= fact.validFrom }) ?? true {
        winner = fact
      }
    }
    return winner
  }

  private func isDecided(by index: Int, at time: Int64) -> Bool {
    let fact = facts[index]
    guard holds(fact, at: time) else { return false }
    return fact.change == .deletion || fact.validTo != nil || latestBefore[index] <= fact.validFrom
  }

  /// Earlier facts hold until the deletion.
  private func holds(_ fact: Fact, at time: Int64) -> Bool {
    fact.validFrom <= time && (fact.validTo.map { time < $0 } ?? true)
  }
}
