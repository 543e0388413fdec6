import Synchronization
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct FeedTests {
  private let place = Workplace()

  /// Nil when some of them are no longer in memory.
  private func commits(_ store: Store, after sequence: UInt64, limit: Int = 100) -> [UInt64]? {
    var records: [CommitRecord] = []
    return store.commits(after: sequence, limit: limit, into: &records) ? records.map(\.sequence) : nil
  }

  @Test func aCursorReadsOn() throws {
    let store = try place.open()
    for index in 1...9 { try store.update("a/b/1", ["x": .int(Int64(index))]) }
    #expect(commits(store, after: 0) == Array(1...9))
    #expect(commits(store, after: 4) == Array(5...9))
    #expect(commits(store, after: 4, limit: 2) == [5, 6])
    #expect(commits(store, after: 9) == [])
    do throws(TwinError) {
      try store.checkResumable(10)
      Issue.record("resumed from the future")
    } catch { #expect(error.code == .outOfRange && error.detail == .resume(oldest: 0, head: 9)) }
    try store.close()
  }

  @Test func recordsSayWhatChanged() throws {
    let store = try place.open()
    try store.update("a/b/1", ["x": .int(1), "y": .int(1)])
    try store.update("a/b/1", ["y": .int(2)])
    try store.delete("a/b/1")
    var records: [CommitRecord] = []
    #expect(store.commits(after: 0, limit: 10, into: &records))
    let seen = records.map { unpackChange(Array($0.changes[0].records))?.set.map(\.name) }
    #expect(seen == [["x", "y"], ["y"], []])
    #expect(records.map { $0.changes[0].isDeleted } == [false, false, true])
    #expect(records.map { $0.changes[0].revision } == [1, 2, 3])
    try store.close()
  }

  /// Of 200 commits some are in the feed and all on disk.
  @Test func theOldestFallOutAndAreReadFromDisk() throws {
    var options = Store.Options.small
    options.memoryBytesMax = 8 * 10_000
    let store = try place.open(options: options)
    for index in 1...200 {
      try store.update("a/b/1", ["x": .int(Int64(index))])
      if index % 50 == 0 { _ = try store.checkpoint() }
    }
    let oldest = store.feed.oldest
    #expect(oldest > 0 && oldest < 199)
    #expect(store.feed.byteCount <= 10_000)
    #expect(commits(store, after: oldest, limit: 1_000) == Array(oldest + 1...200))
    #expect(commits(store, after: oldest - 1) == nil)
    #expect(try store.storedCommits(after: 0, atLeast: 1_000).map(\.sequence) == Array(1...200))
    #expect(try store.storedCommits(after: 17, atLeast: 10).first?.sequence == 18)
    try store.close()
  }

  @Test func aRestartReadsOnFromDisk() throws {
    let store = try place.open()
    for index in 1...3 { try store.update("a/b/1", ["x": .int(Int64(index)), "y": .int(0)]) }
    try store.delete("a/b/1")
    try store.close()
    let again = try place.open()
    #expect(commits(again, after: 2) == nil)
    let stored = try again.storedCommits(after: 0, atLeast: 10)
    #expect(stored.map(\.sequence) == [1, 2, 3, 4])
    #expect(
      stored.map { unpackChange(Array($0.changes[0].records))?.set.map(\.name) } == [["x", "y"], ["x"], ["x"], []])
    #expect(stored.map { $0.changes[0].isDeleted } == [false, false, false, true])
    #expect(commits(again, after: 4) == [])
    try again.update("a/b/1", ["x": .int(9)])
    #expect(commits(again, after: 4) == [5])
    try again.close()
  }

  @Test func bellsRingOnceUntilArmedAgain() throws {
    let store = try place.open()
    let counter = Counter()
    let bell = FeedBell { counter.add() }
    store.feed.add(bell)
    try store.update("a/b/1", ["x": .int(1)])
    #expect(counter.value == 0)
    bell.arm()
    try store.update("a/b/1", ["x": .int(2)])
    try store.update("a/b/1", ["x": .int(3)])
    #expect(counter.value == 1)
    bell.arm()
    // What changes nothing rings nothing.
    try store.update("a/b/1", ["x": .int(3)])
    #expect(counter.value == 1)
    store.feed.remove(bell)
    try store.update("a/b/1", ["x": .int(4)])
    #expect(counter.value == 1)
    try store.close()
  }

  /// A reader that arms, reads to the end and waits sees every commit in order, whatever writers do.
  @Test func noCommitIsMissed() throws {
    let store = try place.open()
    let counter = Counter()
    let bell = FeedBell { counter.add() }
    store.feed.add(bell)
    let total: UInt64 = 600
    let isOrdered = Atomic<Bool>(true)
    @Sendable func read() {
      var seen: UInt64 = 0
      var rung = 0
      while seen < total {
        bell.arm()
        var records: [CommitRecord] = []
        repeat {
          records.removeAll()
          _ = store.commits(after: seen, limit: 7, into: &records)
          for record in records {
            if record.sequence != seen + 1 { isOrdered.store(false, ordering: .relaxed) }
            seen = record.sequence
          }
        } while !records.isEmpty
        if seen < total { rung = counter.wait(above: rung) }
      }
    }
    @Sendable func write(_ twin: Int) {
      for round in 0..<200 { _ = try? store.update("a/b/\(twin)", ["x": .int(Int64(round))]) }
    }
    inThreads([read, { write(1) }, { write(2) }, { write(3) }])
    let wasOrdered = isOrdered.load(ordering: .relaxed)
    #expect(wasOrdered)
    #expect(store.head == total)
    try store.close()
  }
}
