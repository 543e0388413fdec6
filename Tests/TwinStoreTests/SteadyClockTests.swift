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

  @Test func everyCommitIsRecordedAfterTheOneBefore() throws {
    var store = try place.open(clock: clock)
    let start = clock.wallMicros()
    for number in 1...3 {
      try store.update("a/b/1", ["n": .int(Int64(number))])
      clock.advance(micros: -second)
    }
    #expect(try recordedTimes(store, "a/b/1") == [start, start + 1, start + 2])
    try store.close()
    clock.advance(micros: -second)
    store = try place.open(clock: clock)
    #expect(store.now == start + 2)
    try store.update("a/b/1", ["n": .int(4)])
    #expect(try recordedTimes(store, "a/b/1") == [start, start + 1, start + 2, start + 3])
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
    #expect(try recordedTimes(store, "a/b/1") == [told + 1])
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
    #expect(try store.twin(Array("a/b/1".utf8), in: .unlimited)?.image.value("n") == .int(5))
    clock.advance(micros: second)
    #expect(try store.twin(Array("a/b/1".utf8), in: .unlimited)?.image.value("n") == nil)
  }

  // MARK: Jumps

  private let hour: Int64 = 3_600_000_000

  /// Ahead by ten years for two seconds: the store never goes there.
  @Test func aClockThatIsAheadForAMomentIsNotFollowed() throws {
    let store = try place.open(clock: clock)
    let start = clock.wallMicros()
    try store.update("a/b/1", ["n": .int(1)])
    clock.jump(by: 10 * 366 * 24 * hour)
    clock.advance(micros: second)
    try store.update("a/b/1", ["n": .int(2)])
    #expect(store.present() == start + second)
    #expect(store.clockTrouble == .jumped)
    clock.advance(micros: second)
    clock.jump(by: -10 * 366 * 24 * hour)
    #expect(store.clockTrouble == nil)
    try store.update("a/b/1", ["n": .int(3)])
    #expect(try recordedTimes(store, "a/b/1") == [start, start + second, start + 2 * second])
  }

  /// A machine that started without the time gets it later.
  @Test func aClockThatStaysWhereItJumpedToIsFollowed() throws {
    let store = try place.open(clock: clock)
    clock.jump(by: 400 * 24 * hour)
    #expect(store.clockTrouble == .jumped)
    clock.advance(micros: 599 * second)
    #expect(store.now < clock.wallMicros())
    clock.advance(micros: 2 * second)
    #expect(store.now == clock.wallMicros())
    #expect(store.clockTrouble == .followed)
  }

  @Test func lessThanAnHourIsFollowedAtOnce() throws {
    let store = try place.open(clock: clock)
    for step in [hour, -hour / 2, hour, hour / 2] {
      clock.jump(by: step)
      #expect(store.clockTrouble == nil)
      #expect(store.now == clock.wallMicros())
    }
  }

  @Test func aTimeThatIsRecordedFarAheadIsTold() throws {
    var store = try place.open(clock: clock)
    try store.update("a/b/1", ["n": .int(1)])
    try store.close()
    clock.jump(by: -2 * hour)
    store = try place.open(clock: clock)
    #expect(store.clockTrouble == .behind)
    clock.jump(by: 2 * hour)
    clock.advance(micros: second)
    #expect(store.clockTrouble == .jumped)
  }

  /// Which never drops what cannot be got back.
  @Test(arguments: ["jumped", "followed", "gap", "behind"]) func noHistoryIsDroppedByATimeThatMayBeWrong(
    trouble: String
  ) throws {
    var options = Store.Options.small
    options.retention = Retention(others: .age(24 * hour))
    var store = try place.open(clock: clock, options: options)
    for number in 1...5 { try store.update("a/b/1", ["n": .int(Int64(number))]) }
    _ = try store.checkpoint()
    switch trouble {
    case "jumped": clock.jump(by: 400 * 24 * hour)
    case "followed":
      clock.jump(by: 400 * 24 * hour)
      _ = store.now
      clock.advance(micros: 601 * second)
    case "behind":
      // The clock was wrong when all this was recorded, or is now: by its own time all is new.
      try store.close()
      clock.jump(by: -400 * 24 * hour)
      store = try place.open(clock: clock, options: options)
    default:
      try store.close()
      clock.jump(by: 400 * 24 * hour)
      store = try place.open(clock: clock, options: options)
    }
    try store.update("a/b/2", ["n": .int(1)])
    for _ in 0..<3 { _ = try store.checkpoint() }
    #expect(try recordedTimes(store, "a/b/1").count == 5)
    #expect("\(try #require(store.clockTrouble))".contains("clock"))
    guard trouble == "followed" || trouble == "gap" else { return }
    // The remedy: a restart, once the clock has been looked at.
    try store.close()
    store = try place.open(clock: clock, options: options)
    #expect(store.clockTrouble == nil)
    for _ in 0..<3 { _ = try store.checkpoint() }
    #expect(try recordedTimes(store, "a/b/1").count == 1)
  }
}
