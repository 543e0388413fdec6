import Foundation
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct IdempotencyTableTests {
  private func scope(_ key: String, agent: String = "agent", space: String = "acme") -> IdempotencyTable.Scope {
    withBytes(space) { space in
      withBytes(agent) { agent in
        withBytes(key) { IdempotencyTable.Scope(space: space, agent: agent, key: $0) }
      }
    }
  }

  private func result(_ sequence: UInt64) -> CommitResult {
    CommitResult(sequence: sequence, revisions: [sequence], factCount: 1)
  }

  private let day = Limits.idempotencyAgeMicrosMax

  @Test func keptForADay() throws {
    let table = IdempotencyTable()
    table.add(scope("k"), requestHash: 1, result: result(1), now: 0)
    #expect(try table.find(scope("k"), requestHash: 1, now: day - 1) == result(1))
    #expect(try table.find(scope("k"), requestHash: 1, now: day) == nil)
    // Another request under the key of yesterday.
    table.add(scope("k"), requestHash: 2, result: result(2), now: day)
    #expect(try table.find(scope("k"), requestHash: 2, now: day) == result(2))
    #expect(table.count == 1)
    let changes = table.capture()
    #expect(changes.added.count == 2 && changes.dropped == [1])
    #expect(table.capture().isEmpty)
  }

  @Test func scopesAreApart() throws {
    let table = IdempotencyTable()
    table.add(scope("k"), requestHash: 1, result: result(1), now: 0)
    for other in [scope("k", agent: "other"), scope("k", space: "other"), scope("k2"), scope("gentk", agent: "a")] {
      #expect(try table.find(other, requestHash: 9, now: 0) == nil)
    }
    do throws(TwinError) {
      _ = try table.find(scope("k"), requestHash: 9, now: 0)
      Issue.record("two requests under one key")
    } catch { #expect(error.code == .invalidArgument && error.message.contains("key \"k\" was used")) }
  }

  @Test func theOldestOfAnAgentGoFirst() throws {
    let table = IdempotencyTable(perAgentMax: 3)
    for index in 0..<5 { table.add(scope("k\(index)"), requestHash: 1, result: result(UInt64(index)), now: 0) }
    table.add(scope("k0", agent: "other"), requestHash: 1, result: result(9), now: 0)
    #expect(table.count == 4)
    #expect(try table.find(scope("k1"), requestHash: 1, now: 0) == nil)
    #expect(try table.find(scope("k2"), requestHash: 1, now: 0) == result(2))
    #expect(try table.find(scope("k0", agent: "other"), requestHash: 1, now: 0) == result(9))
    #expect(table.capture().dropped == [1, 2])
  }

  @Test func allAgentsTogetherAreBounded() throws {
    let table = IdempotencyTable(perAgentMax: 100, countMax: 10)
    for index in 0..<50 {
      table.add(scope("k", agent: "a\(index)"), requestHash: 1, result: result(UInt64(index)), now: 0)
    }
    #expect(table.count == 10)
    #expect(try table.find(scope("k", agent: "a39"), requestHash: 1, now: 0) == nil)
    #expect(try table.find(scope("k", agent: "a40"), requestHash: 1, now: 0) == result(40))
    // Twins of entries that are gone must not drop the ones that stand.
    for index in 0..<5_000 {
      table.add(scope("x\(index % 7)-\(index)"), requestHash: 1, result: result(1), now: Int64(index) * day / 1_000)
      #expect(table.count <= 10)
    }
    #expect(try table.find(scope("x1-4999"), requestHash: 1, now: 4_999 * day / 1_000) != nil)
  }

  @Test func aRepeatedWriteIsAnsweredAndNotDone() throws {
    let place = Workplace()
    let clock = ManualClock()
    let store = try place.open(clock: clock)
    let first = try store.update("acme/c/1", ["n": .int(1)], key: "k")
    try store.update("acme/c/1", ["n": .int(2)])
    #expect(try store.update("acme/c/1", ["n": .int(1)], key: "k") == first)
    #expect(try store.value("acme/c/1", "n") == .int(2))
    // A failed write leaves no trace of its key.
    #expect(throws: TwinError.self) { try store.update("acme/c/1", ["n": .int(5)], expected: 99, key: "f") }
    #expect(try store.update("acme/c/1", ["n": .int(3), "m": .int(1)], key: "f").factCount == 2)
    // The hash of the fixture is the number of values.
    #expect(throws: TwinError.self) { try store.update("acme/c/1", ["n": .int(1), "m": .int(1)], key: "k") }
    #expect(try store.update("acme/c/1", ["n": .int(7)], key: "k", agent: "other").factCount == 1)
    try store.close()

    let again = try place.open(clock: clock)
    #expect(again.stats.idempotencyKeyCount == 3)
    #expect(try again.update("acme/c/1", ["n": .int(1)], key: "k") == first)
    #expect(try again.value("acme/c/1", "n") == .int(7))
    clock.advance(micros: day)
    #expect(try again.update("acme/c/1", ["n": .int(1)], key: "k").sequence == again.head)
    #expect(again.stats.idempotencyKeyCount == 1)
    try again.close()
    let last = try place.open(clock: clock)
    #expect(last.stats.idempotencyKeyCount == 1)
    try last.close()
  }
}
