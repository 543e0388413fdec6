// Whose turn it is: whoever will have been served least after it.

import Testing
import Threads

@Suite struct LeastServedTests {
  private var turns = LeastServed<String>()

  /// Serves whoever is ready so many times. Each has more to do after its turn.
  private mutating func serve(_ count: Int, _ nanos: [String: UInt64]) -> [String] {
    (0..<count).compactMap { _ in
      guard let id = turns.next() else { return nil }
      turns.charge(id, nanos[id]!)
      turns.add(id)
      return id
    }
  }

  @Test mutating func turnsGoAround() {
    for id in ["a", "b", "c"] { turns.add(id) }
    #expect(serve(6, ["a": 10, "b": 10, "c": 10]) == ["a", "b", "c", "a", "b", "c"])
  }

  /// In time, not in turns.
  @Test mutating func allAreServedAlike() {
    turns.add("long")
    turns.add("short")
    let order = serve(110, ["long": 100, "short": 10])
    #expect((9...11).contains(order.count { $0 == "long" }))
  }

  /// It waits for the turn under way, not for those of all who are ready.
  @Test mutating func whoHasLittleToDoGoesFirst() {
    let long = (0..<64).map { "long \($0)" }
    var nanos = Dictionary(uniqueKeysWithValues: long.map { ($0, UInt64(250)) })
    nanos["short"] = 10
    for id in long { turns.add(id) }
    _ = serve(100, nanos)
    turns.add("short")
    #expect(serve(1, nanos) == ["short"])
    // It stays first until it has had as much as they.
    #expect(serve(10, nanos) == [String](repeating: "short", count: 10))
  }

  @Test mutating func nobodySavesUpTurns() {
    turns.add("idle")
    _ = serve(1, ["idle": 10])
    #expect(turns.next() == "idle")
    turns.add("busy")
    _ = serve(100, ["busy": 10])
    turns.add("idle")
    #expect(serve(20, ["busy": 10, "idle": 10]).count { $0 == "idle" } <= 11)
  }

  /// However many come, each for one short turn.
  @Test mutating func newcomersStarveNobody() {
    turns.add("long")
    _ = serve(1, ["long": 1000])
    var waited = 0
    while waited < 10_000 {
      turns.add("new \(waited)")
      let next = turns.next()!
      turns.charge(next, 10)
      if next == "long" { break }
      waited += 1
    }
    #expect(waited < 1000)
  }

  @Test mutating func emptyIsEmpty() {
    #expect(turns.isEmpty && turns.next() == nil)
    turns.add("a")
    #expect(!turns.isEmpty && turns.next() == "a" && turns.isEmpty)
  }
}
