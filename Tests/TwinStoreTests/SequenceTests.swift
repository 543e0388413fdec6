import Foundation
import Testing
import TwinCore
import TwinFixtures
import TwinStore

/// Sequences are never issued twice, however a run ends.
@Suite struct SequenceTests {
  @Test func afterACrashTheNextIsAboveTheReserve() throws {
    let place = Workplace()
    let store = try place.open()
    for index in 0..<10 { try store.update("a/b/\(index)", ["x": .int(1)]) }
    _ = try store.checkpoint()
    // These two are lost.
    try store.update("a/b/1", ["x": .int(2)])
    let lost = try store.update("a/b/lost", ["x": .int(2)]).sequence
    let crashed = try place.copy()
    let second = try crashed.open()
    #expect(second.head == 10)
    #expect(try second.value("a/b/1", "x") == .int(1) && second.read("a/b/lost") == nil)
    #expect(throws: TwinError.self) { try second.isVisible(lost) }
    var commits: [CommitRecord] = []
    #expect(throws: TwinError.self) { try second.commits(after: lost, limit: 10, into: &commits) }
    // A crash before any commit and before any checkpoint.
    let crashedAgain = try crashed.copy()
    let third = try crashedAgain.open()
    let next = try third.update("a/b/1", ["x": .int(3)]).sequence
    let other = try second.update("a/b/1", ["x": .int(3)]).sequence
    #expect(other == 10 + Limits.sequenceReserveMax + 1)
    #expect(next == other + Limits.sequenceReserveMax)
    #expect(try second.isVisible(other))
    // Who saw everything up to the crash reads on.
    try second.commits(after: 10, limit: 10, into: &commits)
    #expect(commits.map(\.sequence) == [other])
    try third.close()
    let fourth = try crashedAgain.open()
    #expect(throws: TwinError.self) { try fourth.isVisible(lost) }
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
    var range = SequenceRange(last: 10, reserved: 100, jumps: [], isClean: false)
    #expect(range.jumps == [11...100] && range.next == 101 && range.last == 10)
    let again = SequenceRange(last: 10, reserved: range.reserved, jumps: range.jumps, isClean: false)
    #expect(again.jumps == [11...range.reserved] && again.next == range.reserved + 1)
    let clean = SequenceRange(last: 10, reserved: range.reserved, jumps: range.jumps, isClean: true)
    #expect(clean.jumps == [11...100] && clean.next == 101)
    range.issue()
    #expect(range.last == 101 && range.next == 102)
  }

  @Test func theReserveRunsOut() {
    var range = SequenceRange(last: 0, reserved: 0, jumps: [], isClean: true)
    #expect(!range.isLow && !range.isExhausted)
    for _ in 0..<Limits.sequenceReserveMax / 2 { range.issue() }
    #expect(range.isLow && !range.isExhausted)
    for _ in 0..<Limits.sequenceReserveMax / 2 { range.issue() }
    #expect(range.isExhausted)
    range.extend(to: range.nextReserve)
    #expect(!range.isLow && !range.isExhausted)
  }
}
