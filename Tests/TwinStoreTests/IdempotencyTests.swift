// Repeated writes under an idempotency key: before and after checkpoints, failures and restarts.

import CTwindProto
import GRDB
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct IdempotencyTests {
  private let place = Workplace()
  private let clock = ManualClock()
  private let day = Limits.idempotencyAgeMicrosMax

  private func open(_ place: Workplace? = nil, keysPerAgentMax: Int = 1_000, keysMax: Int = 2) throws -> Store {
    var options = Store.Options.small
    options.keysPerAgentMax = keysPerAgentMax
    options.slices.keysMax = keysMax
    return try (place ?? self.place).open(clock: clock, options: options)
  }

  private func code(_ body: () throws -> Void) -> StatusCode? {
    do {
      try body()
      return nil
    } catch {
      return (error as? TwinError)?.code ?? .unknown
    }
  }

  /// Writes `n` under a key of that number.
  @discardableResult
  private func write(_ store: Store, _ number: Int, agent: String = "tester") throws -> CommitResult {
    try store.update("acme/c/\(number)", ["n": .int(Int64(number))], key: "k\(number)", agent: agent)
  }

  @Test func aRepeatedWriteIsAnsweredAndNotDone() throws {
    let store = try open()
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

    let again = try open()
    #expect(again.stats.idempotencyKeyCount == 3)
    #expect(try again.update("acme/c/1", ["n": .int(1)], key: "k") == first)
    #expect(throws: TwinError.self) { try again.update("acme/c/1", ["n": .int(1), "m": .int(1)], key: "k") }
    #expect(try again.value("acme/c/1", "n") == .int(7))
    clock.advance(micros: day + 1_000)
    #expect(try again.update("acme/c/1", ["n": .int(1)], key: "k").sequence == again.head)
    _ = try again.checkpoint()
    #expect(again.stats.idempotencyKeyCount == 1)
    try again.close()
    let last = try open()
    #expect(last.stats.idempotencyKeyCount == 1)
    try last.close()
  }

  @Test func whatTheDatabaseKnowsIsFoundThere() throws {
    let store = try open()
    let results = try (0..<7).map { try write(store, $0) }
    _ = try store.checkpoint()
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let command = try Command(
      update: requests.update("acme/c/1", [requests.set("n", .int(1))], key: "k1"), agent: Text(requests.text("tester"))
    )
    // Who may not block is told that it takes a look at the disk.
    guard case .unread = try store.tryCommit(command, RequestHash(meaning: 1, payload: 1)) else {
      Issue.record("answered without the database")
      return
    }
    for (number, result) in results.enumerated() { #expect(try write(store, number) == result) }
    // What is surely new does not wait.
    let new = try Command(
      update: requests.update("acme/c/1", [requests.set("n", .int(5))], key: "new"),
      agent: Text(requests.text("tester")))
    guard case .done = try store.tryCommit(new, RequestHash(meaning: 1, payload: 1)) else {
      Issue.record("a new key is looked up")
      return
    }
    #expect(store.stats.idempotencyKeyCount == 8)
    try store.close()
    let again = try open()
    for (number, result) in results.enumerated() { #expect(try write(again, number) == result) }
    #expect(again.stats.idempotencyKeyCount == 8)
    try again.close()
  }

  @Test func anotherAgentsWritesForgetNothing() throws {
    let store = try open(keysPerAgentMax: 50, keysMax: 16)
    let first = try write(store, 1, agent: "a")
    for number in 0..<50 { try write(store, number, agent: "b") }
    _ = try store.checkpoint()
    #expect(code { try write(store, 50, agent: "b") } == .resourceExhausted)
    #expect(try write(store, 7, agent: "b").sequence == 8)
    #expect(try write(store, 1, agent: "a") == first)
    try store.update("acme/c/1", ["n": .int(9)], agent: "b")
    try write(store, 50, agent: "c")
    try store.close()

    let again = try open(keysPerAgentMax: 50)
    #expect(code { try write(again, 50, agent: "b") } == .resourceExhausted)
    #expect(try write(again, 1, agent: "a") == first)
    // Room returns when the keys have expired and a checkpoint has dropped them.
    clock.advance(micros: day + 1_000)
    #expect(code { try write(again, 50, agent: "b") } == .resourceExhausted)
    _ = try again.checkpoint()
    #expect(again.stats.idempotencyKeyCount == 0)
    try write(again, 50, agent: "b")
    #expect(again.stats.idempotencyKeyCount == 1)
    try again.close()
  }

  @Test func aKeyThatExpiredIsUsedAnew() throws {
    let store = try open()
    try write(store, 1)
    try store.close()
    let again = try open()
    clock.advance(micros: day + 1_000)
    // Before anything dropped the old one.
    let second = try again.update("acme/c/1", ["n": .int(2)], key: "k1")
    #expect(second.factCount == 1)
    let copy = try place.copy()
    let crashed = try open(copy)
    #expect(try crashed.update("acme/c/1", ["n": .int(2)], key: "k1") == second)
    try crashed.close()
    withExtendedLifetime(copy) {}
    _ = try again.checkpoint()
    #expect(again.stats.idempotencyKeyCount == 1)
    #expect(try again.update("acme/c/1", ["n": .int(2)], key: "k1") == second)
    try again.close()
  }

  @Test func aCheckpointThatFailsBetweenKeysForgetsNone() throws {
    let store = try open(keysMax: 2)
    let results = try (0..<7).map { try write(store, $0) }
    // Unchanged, and at the same sequence as the one before.
    let same = try store.update("acme/c/6", ["n": .int(6)], key: "same")
    #expect(same.sequence == results[6].sequence && same.factCount == 0)
    let other = try DatabaseQueue(path: store.database.path)
    func execute(_ sql: String) throws { try other.write { try $0.execute(sql: sql) } }
    for id in [1, 3, 5, 7, 8] {
      try execute(
        "CREATE TRIGGER stop BEFORE INSERT ON idempotency WHEN NEW.id = \(id) BEGIN SELECT RAISE(ABORT, 'stop'); END")
      #expect(throws: StoreError.self) { try store.checkpoint() }
      try execute("DROP TRIGGER stop")
      #expect(store.stats.idempotencyKeyCount == 8)
      for (number, result) in results.enumerated() { #expect(try write(store, number) == result) }
      // The process dies here.
      let copy = try place.copy()
      defer { withExtendedLifetime(copy) {} }
      let crashed = try open(copy)
      #expect(crashed.stats.idempotencyKeyCount == 8, "at \(id)")
      for (number, result) in results.enumerated() { #expect(try write(crashed, number) == result) }
      #expect(try crashed.update("acme/c/6", ["n": .int(6)], key: "same") == same)
      #expect(try crashed.value("acme/c/6", "n") == .int(6))
      try crashed.close()
    }
    let late = try store.update("acme/c/6", ["n": .int(6)], key: "late")
    _ = try store.checkpoint()
    #expect(try store.update("acme/c/6", ["n": .int(6)], key: "late") == late)
    let copy = try place.copy()
    let crashed = try open(copy)
    #expect(crashed.stats.idempotencyKeyCount == 9)
    try crashed.close()
    withExtendedLifetime(copy) {}
    try other.close()
    try store.close()
  }

  @Test func keysThatNoCheckpointWritesAreRefusedInTime() throws {
    var options = Store.Options.small
    options.memoryBytesMax = Store.Options.memoryBytesMin
    let store = try place.open(clock: clock, options: options)
    var blocking = Configuration()
    blocking.allowsUnsafeTransactions = true
    let blocker = try DatabaseQueue(path: store.database.path, configuration: blocking)
    try blocker.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    var count = 0
    var error: TwinError?
    while error == nil && count < 5_000 {
      do throws(TwinError) {
        try store.update("acme/c/1", ["n": .int(Int64(count))], key: "\(count)")
        count += 1
      } catch {
        #expect(store.wantsCheckpoint)
        #expect(throws: StoreError.self) { try store.checkpoint() }
        break
      }
    }
    #expect(count > 500 && count < 1_100)
    // What has no key, and what is known, goes on.
    try store.update("acme/c/1", ["n": .int(-1)])
    #expect(try store.update("acme/c/1", ["n": .int(0)], key: "0").sequence == 1)
    error = nil
    try blocker.inDatabase { try $0.execute(sql: "ROLLBACK") }
    try blocker.close()
    _ = try store.checkpoint()
    #expect(!store.wantsCheckpoint)
    try store.update("acme/c/1", ["n": .int(-2)], key: "new")
    #expect(store.stats.idempotencyKeyCount == count + 1)
    try store.close()
  }
}
