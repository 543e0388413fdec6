// The facts of one attribute, in the order of their recording: which one counts when, and which ones still matter.
//
// At a valid time those that hold then are folded in order; `Validity.replaces` says whether the next one takes the
// place of the present winner. What a later fact does at a time depends on the winner there alone, so facts that
// count at no time to come need not be kept, but for one thing: a bounded fact that an open one replaced still
// keeps older facts out until it ends.
//
// Promises: facts are named by their index. Costs the square of their count, which `pendingFactsPerTwinMax` bounds.

struct Timeline {
  private(set) var facts: [Validity] = []

  /// Adds the fact that was recorded next.
  mutating func append(_ validity: Validity) { facts.append(validity) }

  mutating func removeAll() { facts.removeAll(keepingCapacity: true) }

  /// The fact that counts at this valid time.
  func winner(at time: Int64) -> Int? { fold(at: time).winner }

  private func fold(at time: Int64) -> (winner: Int?, lastBounded: Int?) {
    var winner: Int?
    var lastBounded: Int?
    for (index, fact) in facts.enumerated() where fact.holds(at: time) {
      if let present = winner, !fact.replaces(facts[present]) { continue }
      winner = index
      if fact.isBounded { lastBounded = index }
    }
    return (winner, lastBounded)
  }

  /// Times after this one at which a fact begins or ends, ascending.
  private func turns(after time: Int64) -> [Int64] {
    var turns: [Int64] = []
    for fact in facts {
      if fact.from > time { turns.append(fact.from) }
      if fact.isBounded && fact.to > time { turns.append(fact.to) }
    }
    turns.sort()
    return turns
  }

  /// What matters from one time on.
  struct Outlook {
    var winner: Int?
    /// The earliest later time with another winner; Int64.max = none.
    var nextChangeTime = Int64.max
    /// For each fact whether it must be kept.
    var isKept: [Bool]
  }

  /// What can still count at `now` or later.
  func outlook(from now: Int64) -> Outlook {
    var outlook = Outlook(winner: winner(at: now), isKept: Array(repeating: false, count: facts.count))
    var wins = outlook.isKept
    for time in [now] + turns(after: now) {
      let (winner, lastBounded) = fold(at: time)
      if winner != outlook.winner { outlook.nextChangeTime = min(outlook.nextChangeTime, time) }
      if let winner {
        wins[winner] = true
        outlook.isKept[winner] = true
      }
      if let lastBounded { outlook.isKept[lastBounded] = true }
    }
    // The first one keeps nothing out: there is nothing before it.
    for index in facts.indices where outlook.isKept[index] {
      if wins[index] { break }
      outlook.isKept[index] = false
    }
    return outlook
  }

  /// The winners, nil among them, whose place a fact recorded next would take somewhere in its validity. What memory
  /// no longer holds is not among them.
  func replaced(by validity: Validity) -> [Int?] {
    var replaced: [Int?] = []
    for time in [validity.from] + turns(after: validity.from) where validity.holds(at: time) {
      let winner = winner(at: time)
      if let winner, !validity.replaces(facts[winner]) { continue }
      if !replaced.contains(winner) { replaced.append(winner) }
    }
    return replaced
  }
}
