import CTwindProto
import Foundation
import Synchronization
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct StoreTests {
  private let place = Workplace()

  @Test func writesAreReadBack() throws {
    let store = try place.open()
    let first = try store.update("acme/customer/1", ["email": .string("a@b"), "orders": .int(1)])
    #expect(first == CommitResult(sequence: 1, revisions: [1], factCount: 2))
    #expect(try store.value("acme/customer/1", "email") == .string("a@b"))
    #expect(try store.read("acme/customer/2") == nil)
    let again = try store.update("acme/customer/1", ["orders": .int(1)])
    #expect(again == CommitResult(sequence: 1, revisions: [1], factCount: 0))
    #expect(store.head == 1)
    try store.update("acme/customer/2", ["orders": .int(1)])
    try store.delete("acme/customer/1")
    #expect(try store.read("acme/customer/1") == nil)
    #expect(try store.revision("acme/customer/1") == 3)
    #expect(store.stats.twinCount == 1 && store.stats.dirtyCount == 2)
    try store.close()
  }

  @Test func aBatchIsOneCommit() throws {
    let store = try place.open()
    try store.update("a/b/2", ["x": .int(7)])
    let result = try store.update(all: ["a/b/3", "a/b/2", "a/b/1"], ["x": .int(7)])
    #expect(result == CommitResult(sequence: 2, revisions: [2, 1, 2], factCount: 2))
    #expect(throws: TwinError.self) { try store.update(all: ["a/b/4", "a/b/4"], ["x": .int(1)]) }
    #expect(try store.read("a/b/4") == nil)
    try store.close()
  }

  @Test func bothSpellingsAreTwoTwins() throws {
    let store = try place.open()
    try store.update("a/b/\u{e9}", ["x": .int(1)])
    try store.update("a/b/e\u{301}", ["x": .int(2)])
    #expect(try store.value("a/b/\u{e9}", "x") == .int(1))
    #expect(try store.value("a/b/e\u{301}", "x") == .int(2))
    try store.close()
    let again = try place.open()
    #expect(again.stats.twinCount == 2)
    #expect(try again.value("a/b/\u{e9}", "x") == .int(1))
    try again.close()
  }

  @Test(arguments: Durability.allCases)
  func theLevelAskedForIsNamed(_ level: Durability) throws {
    let store = try place.open()
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let request = requests.update("a/b/1", [requests.set("x", .int(1))])
    request.pointee.durability = level.wire
    let outcome = try store.commit(try Command(update: request, agent: Text(requests.text("tester"))), .none)
    #expect(outcome.durability == level && (outcome.awaitsSync > 0) == (level == .synced))
    #expect(store.wantsFlush == (level == .memory))
    let told = Counter()
    store.whenDurable(outcome) { error in if error == nil { told.add() } }
    #expect(told.value == (level == .synced ? 0 : 1) && store.wantsSync == (level == .synced))
    try store.sync()
    #expect(told.value == 1 && store.stats.syncedSequence == 1 && !store.wantsFlush)
    try store.close()
  }

  @Test func recordedTimeNeverGoesBack() throws {
    let clock = ManualClock()
    let store = try place.open(clock: clock)
    try store.update("a/b/1", ["x": .int(1)])
    let first = try #require(try store.read("a/b/1")?.first)
    clock.advance(micros: -5_000_000)
    try store.update("a/b/1", ["x": .int(2)])
    #expect(try store.read("a/b/1")?.first?.recordedAt == first.recordedAt + 1)
    #expect(try store.value("a/b/1", "x") == .int(2))
    try store.close()
    let again = try place.open(clock: clock)
    try again.update("a/b/1", ["x": .int(3)])
    #expect(try again.read("a/b/1")?.first?.recordedAt == first.recordedAt + 2)
    try again.close()
  }

  @Test func visibility() throws {
    let store = try place.open()
    try store.update("a/b/1", ["x": .int(1)])
    #expect(try store.isVisible(0))
    #expect(try store.isVisible(1))
    #expect(try !store.isVisible(2))
    #expect(store.notVisible(2).detail == .resume(oldest: 0, head: 1))
    try store.close()
  }

  @Test func afterCloseNothingIsWritten() throws {
    let store = try place.open()
    try store.close()
    try store.close()
    do throws(TwinError) {
      try store.update("a/b/1", ["x": .int(1)])
      Issue.record("a closed store took a write")
    } catch { #expect(error.code == .unavailable) }
    #expect(throws: StoreError.closed) { try store.checkpoint() }
  }

  /// Batches write the same number into all twins: readers must never see two numbers, nor time going back.
  @Test func batchesAreSeenWholeByConcurrentReaders() throws {
    let store = try place.open()
    let names = (0..<8).map { "a/b/\($0)" }
    try store.update(all: names, ["n": .int(0)])
    let isDone = Atomic<Bool>(false)
    let torn = Atomic<Int>(0)
    let reads = Atomic<Int>(0)
    @Sendable func write(_ thread: Int64) {
      for round in 1...150 { _ = try? store.update(all: names, ["n": .int(thread * 1_000 + Int64(round))]) }
    }
    @Sendable func read() {
      var before: UInt64 = 0
      while !isDone.load(ordering: .relaxed) {
        var revisions: Set<UInt64> = []
        var values: Set<[UInt8]> = []
        let sequence = store.readAll(names) { _, image in
          revisions.insert(image!.revision)
          values.insert(Array(image!.records))
        }
        if revisions.count != 1 || values.count != 1 || sequence < before || sequence < revisions.first! {
          torn.add(1, ordering: .relaxed)
        }
        before = sequence
        reads.add(1, ordering: .relaxed)
      }
    }
    @Sendable func writeAll() {
      inThreads([{ write(1) }, { write(2) }, { write(3) }])
      isDone.store(true, ordering: .relaxed)
    }
    inThreads([writeAll, read, read, { while !isDone.load(ordering: .relaxed) { _ = try? store.checkpoint() } }])
    let tornCount = torn.load(ordering: .relaxed)
    #expect(tornCount == 0)
    let readCount = reads.load(ordering: .relaxed)
    #expect(readCount > 0)
    #expect(store.head == 451)
    try store.close()
  }

  /// Increments from many threads on few twins: none is lost.
  @Test func noIncrementIsLost() throws {
    let store = try place.open()
    @Sendable func increment() {
      for round in 0..<200 {
        let requests = Requests()
        let request = requests.update("a/b/\(round % 3)", [requests.increment("n", .int(1))])
        let agent = Text(requests.text("tester"))
        if let command = try? Command(update: request, agent: agent) { _ = try? store.commit(command, .none) }
        withExtendedLifetime(requests) {}
      }
    }
    inThreads([increment, increment, increment, increment])
    var sum: Int64 = 0
    for twin in 0..<3 {
      guard case .int(let number)? = try store.value("a/b/\(twin)", "n") else {
        Issue.record("no number")
        return
      }
      sum += number
    }
    #expect(sum == 800 && store.head == 800)
    try store.close()
  }
}
