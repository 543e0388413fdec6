// Contestants that take turns in one run: A B C, A B C, so that what the machine does to one it does to all.

import Glibc

struct Stage {
  /// What the contestants have in common.
  let title: String
  private(set) var contestants: [Contestant] = []
  private(set) var contests: [Contest] = []
  private(set) var missing: [Missing] = []
  /// For contestants whose turn takes as long as it takes.
  var turnsMax = Int.max
  /// For contestants of which one tells what another found.
  var keepsOrder = false

  init(_ title: String) { self.title = title }

  /// Adds a contestant when it can be made and has answered; otherwise notes why not.
  mutating func add(_ peer: String, _ make: () throws -> Contestant) -> Contestant? {
    do {
      let contestant = try make()
      try contestant.rehearse()
      contestants.append(contestant)
      return contestant
    } catch let missing as Missing {
      self.missing.append(missing)
    } catch {
      missing.append(Missing(peer: peer, why: "\(error)"))
    }
    return nil
  }

  /// Sets two side by side when both take part.
  mutating func compare(
    _ name: String, _ ours: Contestant?, _ theirs: Contestant?, _ metric: Metric = .median,
    budget: Double? = nil
  ) {
    guard let ours, let theirs else { return }
    contests.append(Contest(name: name, ours: ours, theirs: theirs, metric: metric, budget: budget))
  }

  /// The same by the median and, under names of their own, by the fastest tenth and the mean: with both ends on one core, a
  /// call is quick or slow depending on which of them the kernel lets run first, and a median falls between the two.
  mutating func compareLatencies(
    _ name: String, _ ours: Contestant?, _ theirs: Contestant?, budget: Double? = nil, fastBudget: Double? = nil
  ) {
    compare(name, ours, theirs, .median, budget: budget)
    compare(name + "/p10", ours, theirs, .fast, budget: fastBudget)
    compare(name + "/mean", ours, theirs, .mean)
  }

  func run(rounds: Int, turn: Duration) throws {
    for round in 0..<min(rounds, turnsMax) {
      // Every second round goes backwards: nobody always follows the same one.
      for contestant in keepsOrder || round % 2 == 0 ? contestants : contestants.reversed() {
        try contestant.takeTurn(turn)
      }
    }
  }
}
