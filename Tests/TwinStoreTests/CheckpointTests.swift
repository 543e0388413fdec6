import CTwindProto
import Foundation
import GRDB
import Synchronization
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct CheckpointTests {
  private let place = Workplace()

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
    #expect(again.stats.twinCount == stats.twinCount && again.stats.twinBytes == stats.twinBytes)
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
    #expect(report.sequence == 3 && report.twinCount == 2 && report.endedAt == clock.wallMicros())
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
    let crashed = try place.copy().open()
    #expect(try crashed.value("a/b/2", "x") == .int(2))
    #expect(crashed.stats.idempotencyKeyCount == 1)
    try crashed.close()
    try store.close()
  }

  /// Batches write one number into eight twins while checkpoints run: each state on disk holds one number, and a
  /// sequence that fits it.
  @Test func whatIsOnDiskIsOneMoment() throws {
    let store = try place.open()
    let names = (0..<8).map { "a/b/\($0)" }
    try store.update(all: names, ["n": .int(0)])
    _ = try store.checkpoint()
    let watcher = try DatabaseQueue(path: store.database.path)
    let isDone = Atomic<Bool>(false)
    @Sendable func write() {
      for round in 1...400 { _ = try? store.update(all: names, ["n": .int(Int64(round))]) }
      isDone.store(true, ordering: .relaxed)
    }
    let states = Atomic<Int>(0)
    let torn = Atomic<Int>(0)
    @Sendable func look() {
      while !isDone.load(ordering: .relaxed) {
        let seen = try? watcher.read { db in
          (
            try Int64.fetchSet(db, sql: "SELECT revision FROM twins"),
            try Int64.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'sequence'")
          )
        }
        if seen?.0.count != 1 || seen?.0.first != seen?.1 { torn.add(1, ordering: .relaxed) }
        states.add(1, ordering: .relaxed)
      }
    }
    inThreads([write, look, { while !isDone.load(ordering: .relaxed) { _ = try? store.checkpoint() } }])
    let tornCount = torn.load(ordering: .relaxed)
    #expect(tornCount == 0)
    let stateCount = states.load(ordering: .relaxed)
    #expect(stateCount > 0 && store.stats.checkpointCount > 1)
    try watcher.close()
    try store.close()
  }
}
