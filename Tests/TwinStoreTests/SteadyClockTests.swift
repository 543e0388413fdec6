// The store's present goes on, whatever the machine's clock does; what was recorded then is replayed as of then.

import Foundation
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct SteadyClockTests {
  private let clock = ManualClock()
  private let place = Workplace()
  private let second: Int64 = 1_000_000

  private func recordedTimes(_ store: Store, _ name: String) throws -> [Int64] {
    let history = try Array(name.utf8).withUnsafeBytes { try store.facts(of: TwinName($0)) }
    return try (history?.facts ?? []).map { fact in
      try fact.message.withUnsafeBytes { try AttributeRecord($0).recordedAt }
    }
  }

  @Test func noCommitIsRecordedBeforeAnother() throws {
    var store = try place.open(clock: clock)
    let start = clock.wallMicros()
    for number in 1...3 {
      try store.update("a/b/1", ["n": .int(Int64(number))])
      clock.advance(micros: -second)
    }
    #expect(try recordedTimes(store, "a/b/1") == [start, start, start])
    try store.close()
    clock.advance(micros: -second)
    store = try place.open(clock: clock)
    #expect(store.now == start)
    try store.update("a/b/1", ["n": .int(4)])
    #expect(try recordedTimes(store, "a/b/1") == [start, start, start, start])
  }

  /// What has ended for a reader is not there again for a writer: n was 5 until then.
  @Test func noCommitIsRecordedBeforeATwinIsDerivedFor() throws {
    let store = try place.open(clock: clock)
    let start = clock.wallMicros()
    try store.change("a/b/1") { [$0.set("n", .int(5), from: start, to: start + second)] }
    clock.advance(micros: 2 * second)
    #expect(try store.value("a/b/1", "n") == nil)
    clock.advance(micros: -2 * second)
    try store.change("a/b/1") { [$0.increment("n", .int(1))] }
    #expect(try recordedTimes(store, "a/b/1") == [start, start + 2 * second])
    try store.close()
    #expect(try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory()).problems == [])
  }

  /// The database has the twin as of then, and the next process a clock that is behind.
  @Test func theTimeOfTheDatabaseIsKept() throws {
    var store = try place.open(clock: clock)
    let start = clock.wallMicros()
    try store.change("a/b/1") { [$0.set("n", .int(5), from: start, to: start + second)] }
    clock.advance(micros: 2 * second)
    #expect(try store.value("a/b/1", "n") == nil)
    try store.close()
    clock.advance(micros: -2 * second)
    store = try place.open(clock: clock)
    #expect(store.now == start + 2 * second)
  }

  @Test func whatIsToldToBeKnownStaysSo() throws {
    let store = try place.open(clock: clock)
    let told = store.present()
    clock.advance(micros: -second)
    try store.update("a/b/1", ["n": .int(1)])
    #expect(try recordedTimes(store, "a/b/1") == [told])
  }

  /// A late fact that did not count when it was recorded, since a bounded one held; after the crash that one has ended.
  @Test func aReplayJudgesAsOfThen() throws {
    let store = try place.open(clock: clock)
    let start = clock.wallMicros()
    try store.change("a/b/1") { [$0.set("t", .int(1), from: start - 9 * second)] }
    try store.change("a/b/1") { [$0.set("t", .int(2), from: start, to: start + 5 * second)] }
    try store.change("a/b/1") { [$0.set("t", .int(3), from: start - second)] }
    #expect(try store.value("a/b/1", "t") == .int(2))
    let crashed = try place.copy()
    clock.advance(micros: 9 * second)
    let again = try crashed.open(clock: clock)
    #expect(try again.value("a/b/1", "t") == .int(3))
    try again.close()
    #expect(try StoreCheck.run(directory: crashed.path, scratch: NSTemporaryDirectory()).problems == [])
  }

  /// ListTwins and watches read twins this way, without loading them.
  @Test func aTwinReadFromTheDatabaseIsAsOfNow() throws {
    var store = try place.open(clock: clock)
    let start = clock.wallMicros()
    try store.change("a/b/1") { [$0.set("n", .int(5), from: start, to: start + second)] }
    try store.close()
    store = try place.open(clock: clock)
    #expect(try store.twin(Array("a/b/1".utf8))?.value("n") == .int(5))
    clock.advance(micros: second)
    #expect(try store.twin(Array("a/b/1".utf8))?.value("n") == nil)
  }
}
