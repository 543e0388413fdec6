// Histories that have an order, and histories that have none.

import Simulation
import Testing

@Suite struct RegisterCheckerTests {
  /// `agent action invoked returned`, in any order.
  private func contradiction(_ history: [(RegisterOperation.Action, Int, Int?)]) -> String? {
    var checker = RegisterChecker(
      history.map { RegisterOperation($0.0, agent: "a", invoked: $0.1, returned: $0.2) })
    return checker.contradiction()
  }

  @Test func acceptsWhatHasAnOrder() {
    #expect(contradiction([]) == nil)
    #expect(contradiction([(.read(nil), 1, 2), (.write("x"), 3, 4), (.read("x"), 5, 6)]) == nil)
    // Of two writes at the same time either may be the last.
    let writes: [(RegisterOperation.Action, Int, Int?)] = [(.write("x"), 1, 4), (.write("y"), 2, 3)]
    #expect(contradiction(writes + [(.read("x"), 5, 6)]) == nil)
    #expect(contradiction(writes + [(.read("y"), 5, 6)]) == nil)
    // A read beside a write sees it or not.
    #expect(contradiction([(.write("x"), 1, 4), (.read(nil), 2, 3), (.read("x"), 5, 6)]) == nil)
  }

  @Test func refusesALostWrite() {
    #expect(contradiction([(.write("x"), 1, 2), (.read(nil), 3, 4)]) != nil)
    #expect(contradiction([(.write("x"), 1, 2), (.write("y"), 3, 4), (.read("x"), 5, 6)]) != nil)
  }

  @Test func refusesAReadThatGoesBack() {
    let history: [(RegisterOperation.Action, Int, Int?)] = [
      (.write("x"), 1, 10), (.read("x"), 2, 3), (.read(nil), 4, 5),
    ]
    #expect(contradiction(history) != nil)
  }

  @Test func refusesAValueThatNobodyWrote() {
    #expect(contradiction([(.write("x"), 1, 2), (.read("y"), 3, 4)]) != nil)
  }

  @Test func letsAnUnknownWriteHappenLateOrNever() {
    #expect(contradiction([(.write("x"), 1, nil), (.read(nil), 2, 3)]) == nil)
    #expect(contradiction([(.write("x"), 1, nil), (.read(nil), 2, 3), (.read("x"), 4, 5)]) == nil)
    // Once seen it has happened.
    let seen: [(RegisterOperation.Action, Int, Int?)] = [(.write("x"), 1, nil), (.read("x"), 2, 3), (.read(nil), 4, 5)]
    #expect(contradiction(seen) != nil)
    // And not before it was invoked.
    #expect(contradiction([(.read("x"), 1, 2), (.write("x"), 3, nil)]) != nil)
  }

  @Test func onlyOneOfTwoSwapsOfTheSameValueSucceeds() {
    #expect(contradiction([(.swap(nil, "x"), 1, 2), (.swap("x", "y"), 3, 4), (.read("y"), 5, 6)]) == nil)
    #expect(contradiction([(.swap(nil, "x"), 1, 4), (.swap(nil, "y"), 2, 3)]) != nil)
  }

  @Test func agreesWithTryingEveryOrder() {
    var random = Random(seed: 9)
    var (good, bad) = (0, 0)
    for _ in 0..<3_000 {
      let history = RegisterCheckerTests.anyHistory(&random)
      var checker = RegisterChecker(history)
      let hasOrder = RegisterCheckerTests.hasOrder(history, value: nil)
      #expect((checker.contradiction() == nil) == hasOrder, "\(history)")
      if hasOrder { good += 1 } else { bad += 1 }
    }
    #expect(good > 100 && bad > 100)
  }

  @Test func checksALongHistoryWithManyUnknownWrites() {
    var random = Random(seed: 2)
    var history: [RegisterOperation] = []
    var value: String?
    for place in stride(from: 0, to: 40_000, by: 4) {
      switch random.below(3) {
      case 0: history.append(RegisterOperation(.read(value), agent: "r", invoked: place, returned: place + 3))
      case 1:
        value = "\(place)"
        history.append(RegisterOperation(.write(value), agent: "w", invoked: place + 1, returned: place + 2))
      default: history.append(RegisterOperation(.write("u\(place)"), agent: "u", invoked: place, returned: nil))
      }
    }
    var checker = RegisterChecker(history)
    #expect(checker.contradiction() == nil)
  }

  private static func anyHistory(_ random: inout Random) -> [RegisterOperation] {
    var places = Array(0..<12)
    func take() -> Int { places.remove(at: random.below(places.count)) }
    return (0..<random.within(2...5)).map { number in
      let (one, other) = (take(), take())
      let value = random.pick([nil, "a", "b"])
      let action = random.pick([
        RegisterOperation.Action.read(value), .write(value), .swap(value, random.pick(["a", "b"])),
      ])
      let returned = random.chance(250) ? nil : max(one, other)
      return RegisterOperation(action, agent: "\(number)", invoked: min(one, other), returned: returned)
    }
  }

  /// Tries every operation that may come first, and then the rest the same way.
  private static func hasOrder(_ left: [RegisterOperation], value: String?) -> Bool {
    let end = left.compactMap(\.returned).min()
    guard let end else { return true }
    return left.indices.contains { index in
      let operation = left[index]
      guard operation.invoked < end else { return false }
      var rest = left
      rest.remove(at: index)
      switch operation.action {
      case .read(let found): return found == value && hasOrder(rest, value: value)
      case .write(let new): return hasOrder(rest, value: new)
      case .swap(let expected, let new): return expected == value && hasOrder(rest, value: new)
      }
    }
  }
}
