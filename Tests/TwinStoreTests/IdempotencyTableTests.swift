// Which keys memory knows, and when the database is to be asked.

import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct IdempotencyTableTests {
  private let day = Limits.idempotencyAgeMicrosMax

  private func table(perAgentMax: Int = 100, bytesMax: Int = 8 << 20) -> IdempotencyTable {
    IdempotencyTable(perAgentMax: perAgentMax, bytesMax: bytesMax)
  }

  private func scope(_ key: String, agent: String = "agent", space: String = "acme") -> IdempotencyTable.Scope {
    withBytes(space) { space in
      withBytes(agent) { agent in
        withBytes(key) { IdempotencyTable.Scope(space: space, agent: agent, key: $0) }
      }
    }
  }

  private func hash(_ number: UInt64) -> RequestHash { RequestHash(meaning: number, payload: number &+ 1_000) }

  private func result(_ sequence: UInt64) -> CommitResult {
    CommitResult(sequence: sequence, revisions: [sequence], factCount: 1)
  }

  private func refusal(_ body: () throws(TwinError) -> Void) -> TwinError? {
    do throws(TwinError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func keptForADay() throws {
    let table = table()
    table.add(scope("k"), requestHash: 1, result: result(1), now: 0)
    #expect(try table.find(scope("k"), hash(1), now: day - 1) == .first(result(1)))
    #expect(try table.find(scope("k"), hash(1), now: day) == .unused)
    // Another request under the key of yesterday.
    table.add(scope("k"), requestHash: 2, result: result(2), now: day)
    #expect(try table.find(scope("k"), hash(2), now: day) == .first(result(2)))
  }

  @Test func scopesAreApart() throws {
    let table = table()
    table.add(scope("k"), requestHash: 1, result: result(1), now: 0)
    for other in [scope("k", agent: "other"), scope("k", space: "other"), scope("k2"), scope("gentk", agent: "a")] {
      #expect(try table.find(other, hash(9), now: 0) == .unused)
    }
    let error = refusal { () throws(TwinError) in _ = try table.find(scope("k"), hash(9), now: 0) }
    #expect(error?.code == .invalidArgument && error?.message.contains("key \"k\" was used") == true)
  }

  @Test func whatWasStoredByItsBytesIsMetByThem() throws {
    let table = table()
    table.add(scope("k"), requestHash: 1_001, result: result(1), now: 0)
    #expect(try table.find(scope("k"), hash(1), now: 0) == .first(result(1)))
  }

  @Test func whatMovedToTheDatabaseIsAskedOfIt() throws {
    let table = table()
    table.add(scope("a"), requestHash: 1, result: result(1), now: 0)
    table.add(scope("b"), requestHash: 1, result: result(2), now: 0)
    let entries = table.capture()
    #expect(entries.count == 2)
    // Found in memory for as long as the database may not have it.
    #expect(try table.find(scope("a"), hash(1), now: 0) == .first(result(1)))
    table.move(1)
    #expect(try table.find(scope("a"), hash(1), now: 0) == .unread)
    #expect(try table.find(scope("b"), hash(1), now: 0) == .first(result(2)))
    #expect(try table.find(scope("new"), hash(1), now: 0) == .unused)
    let found = IdempotencyTable.Lookup(entry: entries[0], moveCount: table.moveCount)
    #expect(try table.find(scope("a"), hash(1), now: 0, lookup: found) == .first(result(1)))
    #expect(try table.find(scope("a"), hash(1), now: day, lookup: found) == .unused)
    // The filter was mistaken.
    let nothing = IdempotencyTable.Lookup(entry: nil, moveCount: table.moveCount)
    #expect(try table.find(scope("a"), hash(1), now: 0, lookup: nothing) == .unused)
    // The database was asked before "b" came to it.
    table.move(1)
    #expect(try table.find(scope("b"), hash(1), now: 0, lookup: nothing) == .unread)
    #expect(table.count == 2 && table.capture().isEmpty)
  }

  @Test func whatACheckpointDidNotWriteIsTheNextOnes() throws {
    let table = table()
    for number in 0..<4 { table.add(scope("\(number)"), requestHash: 1, result: result(UInt64(number)), now: 0) }
    _ = table.capture()
    table.move(1)
    table.add(scope("later"), requestHash: 1, result: result(9), now: 0)
    table.giveBack()
    #expect(table.count == 5)
    #expect(table.capture().count == 4)
    for number in 1..<4 {
      #expect(try table.find(scope("\(number)"), hash(1), now: 0) == .first(result(UInt64(number))))
    }
  }

  @Test func anAgentHasItsShareAndNoOthers() throws {
    let table = table(perAgentMax: 3)
    for number in 0..<3 { table.add(scope("k\(number)"), requestHash: 1, result: result(UInt64(number)), now: 0) }
    let error = refusal { () throws(TwinError) in _ = try table.find(scope("new"), hash(1), now: 0) }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.message.contains("\"agent\" has used 3 idempotency keys") == true)
    #expect(error?.detail == .limit(name: "idempotencyKeysPerAgentMax", maximum: 3, actual: 4))
    for number in 0..<3 {
      #expect(try table.find(scope("k\(number)"), hash(1), now: 0) == .first(result(UInt64(number))))
    }
    #expect(try table.find(scope("new", agent: "other"), hash(1), now: 0) == .unused)
    // Also when they are in the database.
    _ = table.capture()
    table.move(3)
    #expect(refusal { () throws(TwinError) in _ = try table.find(scope("new"), hash(1), now: 0) } != nil)
    #expect(try table.find(scope("k1"), hash(1), now: 0) == .unread)
  }

  @Test func unwrittenKeysAreBounded() throws {
    let table = table(perAgentMax: .max, bytesMax: 1 << 20)
    var error: TwinError?
    var count = 0
    while error == nil && count < 10_000 {
      error = refusal { () throws(TwinError) in _ = try table.find(scope("\(count)"), hash(1), now: 0) }
      if error != nil { break }
      table.add(scope("\(count)"), requestHash: 1, result: result(1), now: 0)
      count += 1
    }
    #expect(count > 500 && count < 1_100)
    guard case .limit("idempotencyUnwrittenBytesMax", 262_144, _)? = error?.detail else {
      Issue.record("\(count): \(String(describing: error))")
      return
    }
    #expect(error?.code == .resourceExhausted && error?.message.contains("checkpoint") == true)
    #expect(try table.find(scope("0"), hash(1), now: 0) == .first(result(1)))
    _ = table.capture()
    table.move(count)
    #expect(try table.find(scope("new"), hash(1), now: 0) == .unused)
  }

  @Test(arguments: [64 << 10, 8 << 20]) func noKeyOfTheLastDayIsTakenForANewOne(bytesMax: Int) throws {
    let table = table(perAgentMax: .max, bytesMax: bytesMax)
    let count = 8_000
    let step = 5 * day / Int64(count)
    for number in 0..<count {
      table.add(scope("\(number)"), requestHash: 1, result: result(1), now: Int64(number) * step)
      if number % 100 == 99 {
        _ = table.capture()
        table.move(100)
      }
      guard number % 500 == 499 else { continue }
      let now = Int64(number) * step
      for known in 0...number where now - Int64(known) * step < day {
        #expect(try table.find(scope("\(known)"), hash(1), now: now) == .unread)
      }
    }
    // And most new ones are new, where there is memory for the filter.
    let last = Int64(count) * step
    let asked = try (0..<1_000).count { try table.find(scope("new \($0)"), hash(1), now: last) == .unread }
    #expect(bytesMax < 1 << 20 || asked < 20, "\(asked) of 1000 new keys are looked up")
  }
}
