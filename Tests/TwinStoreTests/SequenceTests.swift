import Foundation
import Testing
import TwinCore
import TwinFixtures
import TwinStore

/// Sequences are never issued twice, however a run ends.
@Suite struct SequenceTests {
  @Test func startsWithoutACommitBetweenThemPassOverOneRange() throws {
    let place = Workplace()
    let first = try place.open()
    try first.update("a/b/1", ["x": .int(1)])
    let crashed = try place.copy()
    let second = try crashed.open()
    let crashedAgain = try crashed.copy()
    let third = try crashedAgain.open()
    let crashedOnceMore = try crashedAgain.copy()
    let fourth = try crashedOnceMore.open()
    _ = try fourth.checkpoint()
    #expect(fourth.recovery.jump == 2...1 + 3 * Limits.sequenceReserveMax)
    try fourth.close()
    // The checkpoint's list of ranges is one that a start reads.
    try crashedOnceMore.open().close()
    for store in [first, second, third] { try store.close() }
    withExtendedLifetime((crashed, crashedAgain, crashedOnceMore)) {}
  }

  @Test func afterACrashTheNextIsAboveTheReserve() throws {
    let place = Workplace()
    let store = try place.open()
    for index in 0..<10 { try store.update("a/b/\(index)", ["x": .int(1)]) }
    _ = try store.checkpoint()
    // These are in the journal, and in no checkpoint.
    try store.update("a/b/1", ["x": .int(2)])
    let last = try store.update("a/b/more", ["x": .int(2)]).sequence
    let crashed = try place.copy()
    let second = try crashed.open()
    #expect(second.head == last && second.recovery.commitCount >= 2 && !second.recovery.isClean)
    #expect(try second.value("a/b/1", "x") == .int(2) && second.value("a/b/more", "x") == .int(2))
    // Someone may have seen the next one.
    #expect(throws: TwinError.self) { try second.isVisible(last + 1) }
    #expect(throws: TwinError.self) { try second.checkResumable(last + 1) }
    // A crash before any commit and before any checkpoint.
    let crashedAgain = try crashed.copy()
    let third = try crashedAgain.open()
    let next = try third.update("a/b/1", ["x": .int(3)]).sequence
    let other = try second.update("a/b/1", ["x": .int(3)]).sequence
    #expect(other == last + Limits.sequenceReserveMax + 1)
    #expect(next == other + Limits.sequenceReserveMax)
    #expect(try second.isVisible(other))
    // Who saw everything up to the crash reads on.
    try second.checkResumable(last)
    var commits: [CommitRecord] = []
    #expect(second.commits(after: last, limit: 10, into: &commits))
    #expect(commits.map(\.sequence) == [other])
    try third.close()
    let fourth = try crashedAgain.open()
    #expect(throws: TwinError.self) { try fourth.isVisible(last + 1) }
    #expect(throws: TwinError.self) { try fourth.isVisible(other) }
    #expect(try fourth.update("a/b/1", ["x": .int(4)]).sequence == next + 1)
    for store in [store, second, fourth] { try store.close() }
  }

  /// A backup of the two files that hold data, made while the store was open.
  @Test func theSharedMemoryFileIsNotNeeded() throws {
    let place = Workplace()
    let store = try place.open()
    try store.update("a/b/1", ["x": .int(1)])
    _ = try store.checkpoint()
    let copy = try place.copy()
    try FileManager.default.removeItem(atPath: copy.path + "/twind.db-shm")
    let again = try copy.open()
    #expect(try again.value("a/b/1", "x") == .int(1))
    try again.close()
    try store.close()
  }

  @Test func aStartWithoutCommitsKeepsTheJump() {
    var range = SequenceRange(last: 10, jumps: [], passOver: 90)
    #expect(range.jumps == [11...100] && range.next == 101 && range.last == 10)
    let again = SequenceRange(last: 10, jumps: range.jumps, passOver: 90)
    #expect(again.jumps == [11...190] && again.next == 191)
    let clean = SequenceRange(last: 10, jumps: range.jumps, passOver: 0)
    #expect(clean.jumps == [11...100] && clean.next == 101)
    range.issue()
    #expect(range.last == 101 && range.next == 102)
    let later = SequenceRange(last: 101, jumps: range.jumps, passOver: 90)
    #expect(later.jumps == [11...100, 102...191] && later.next == 192)
  }

  @Test func whatStartsWithoutCommitsLeaveIsJoined() {
    #expect(SequenceRange.joined([], [11...100, 11...190]) == [11...190])
    #expect(SequenceRange.joined([11...100], [11...100, 11...190]) == [11...190])
    #expect(
      SequenceRange.joined([3...5, 11...190], [3...5, 11...100, 11...190, 201...300]) == [3...5, 11...190, 201...300])
  }

  /// Crash after crash before any commit; then a checkpoint states what was passed over.
  @Test func startsWithoutCommitsIssueNothingTwice() throws {
    let first = Workplace()
    let store = try first.open()
    try store.update("a/b/1", ["x": .int(1)])
    var place = try first.copy()
    var open = [store]
    // A directory goes away with its place.
    var places = [first, place]
    defer { withExtendedLifetime(places) {} }
    for _ in 0..<3 {
      open.append(try place.open())
      place = try place.copy()
      places.append(place)
    }
    let stated = try place.open()
    _ = try stated.checkpoint()
    open.append(stated)
    place = try place.copy()
    places.append(place)
    // The journal's ranges overlap; what the database states can be read, and what a run issued stays its own.
    let second = try place.open()
    let crashed = try place.copy()
    let issued = try second.update("a/b/2", ["x": .int(2)]).sequence
    let third = try crashed.open()
    #expect(third.head == 1)
    #expect(try third.update("a/b/3", ["x": .int(3)]).sequence > issued)
    for store in open + [second, third] { try store.close() }
  }

  @Test func noMoreAreIssuedThanACrashPassesOver() {
    var range = SequenceRange(last: 10, jumps: [], passOver: Limits.sequenceReserveMax)
    // What lies in the jump was never issued.
    #expect(!range.isExhausted(synced: 10))
    for _ in 0..<Limits.sequenceReserveMax { range.issue() }
    #expect(range.isExhausted(synced: 10))
    #expect(!range.isExhausted(synced: range.last))
  }
}
