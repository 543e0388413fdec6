import CTwindProto
import Foundation
import GRDB
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct CheckpointTests {
  private let place = Workplace()

  @Test func whatIsScheduledComesBack() throws {
    let place = Workplace()
    let clock = ManualClock()
    let store = try place.open(clock: clock)
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let soon = clock.wallMicros() + 1_000
    let update = requests.update(
      "a/b/1", [requests.set("x", .int(1)), requests.set("y", .int(1), from: soon, to: soon + 5)])
    _ = try store.commit(try Command(update: update, agent: Text(requests.text("tester"))), .none)
    try store.close()
    let again = try place.open(clock: clock)
    let image = try #require(try again.image("a/b/1"))
    #expect(image.nextChangeTime == soon && image.value("y") == nil)
    clock.advance(micros: 1_000)
    #expect(try again.value("a/b/1", "y") == .int(1))
    clock.advance(micros: 5)
    #expect(try again.value("a/b/1", "y") == nil && again.image("a/b/1")?.pendingCount == 0)
    // Time alone makes nothing to be written.
    #expect(again.stats.dirtyCount == 0)
    try again.close()
  }

  @Test func reopenedStoresAreEqual() throws {
    let store = try place.open()
    for index in 0..<300 {
      try store.update(
        "a/b/\(index % 100)", ["n": .int(Int64(index)), "s": .string("text \(index)"), "l": .list([.int(1)])])
      if index % 7 == 0 { try store.delete("a/b/\(index % 100)") }
      if index == 150 { _ = try store.checkpoint() }
    }
    let head = store.head
    let before = try (0..<100).map { try store.read("a/b/\($0)") }
    let revisions = try (0..<100).map { try store.revision("a/b/\($0)") }
    let stats = store.stats
    try store.close()
    let again = try place.open()
    #expect(again.head == head)
    #expect(try (0..<100).map { try again.read("a/b/\($0)") } == before)
    #expect(try (0..<100).map { try again.revision("a/b/\($0)") } == revisions)
    #expect(again.stats.twinCount == stats.twinCount)
    #expect(again.stats.dirtyCount == 0)
    // A clean stop leaves no gap.
    #expect(try again.update("a/b/new", ["x": .int(1)]).sequence == head + 1)
    try again.close()
  }

  @Test func onlyWhatIsDirtyIsWritten() throws {
    let clock = ManualClock()
    let store = try place.open(clock: clock)
    try store.update("a/b/1", ["x": .int(1)])
    try store.update("a/b/1", ["x": .int(2)])
    try store.update("a/b/2", ["x": .int(2)])
    let report = try store.checkpoint()
    #expect(report.sequence == 3 && report.twinCount == 2 && report.endedAt == store.now)
    #expect(store.stats.dirtyCount == 0)
    let watcher = try DatabaseQueue(path: store.database.path)
    func version() throws -> Int? { try watcher.read { try Int.fetchOne($0, sql: "PRAGMA data_version") } }
    let before = try version()
    #expect(try store.checkpoint().twinCount == 0)
    #expect(try version() == before)
    try store.update("a/b/2", ["x": .int(3)])
    #expect(try store.checkpoint().twinCount == 1)
    #expect(try version() != before)
    #expect(store.stats.checkpointCount == 3)
    try watcher.close()
    try store.close()
  }

  @Test func aFailedTransactionForgetsNothing() throws {
    let store = try place.open()
    try store.update("a/b/1", ["x": .int(1)], key: "k")
    try store.update("a/b/2", ["x": .int(1)])
    var blocking = Configuration()
    blocking.allowsUnsafeTransactions = true
    let blocker = try DatabaseQueue(path: store.database.path, configuration: blocking)
    try blocker.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    #expect(throws: StoreError.self) { try store.checkpoint() }
    #expect(store.stats.dirtyCount == 2)
    #expect(store.stats.checkpointError?.description.contains("locked") == true)
    // One of them changes meanwhile; it must stand in the list once.
    try store.update("a/b/2", ["x": .int(2)])
    #expect(store.stats.dirtyCount == 2)
    #expect(throws: StoreError.self) { try store.checkpoint() }
    try blocker.inDatabase { try $0.execute(sql: "ROLLBACK") }
    try blocker.close()
    #expect(try store.checkpoint().twinCount == 2)
    #expect(store.stats.checkpointError == nil && store.stats.dirtyCount == 0)
    let copy = try place.copy()
    let crashed = try copy.open()
    #expect(try crashed.value("a/b/2", "x") == .int(2))
    #expect(crashed.stats.idempotencyKeyCount == 1)
    try crashed.close()
    withExtendedLifetime(copy) {}
    try store.close()
  }
}
