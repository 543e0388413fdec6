// Backups are complete, verified and apart from the store they are of; restored ones go on where it will not come.

import Foundation
import Testing
import Threads
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct OperationsBackupTests {
  private let clock = ManualClock()
  private let place = Workplace()
  private let target = Workplace()

  init() throws { try FileManager.default.createDirectory(atPath: target.path, withIntermediateDirectories: true) }

  private var file: String { target.path + "/b.twind" }
  private var restored: String { target.path + "/data" }

  private func restore() throws -> RestoreReport {
    try StoreRestore.run(backup: file, directory: restored, scratch: NSTemporaryDirectory())
  }

  /// All that a reader can learn of all twins.
  private func content(_ store: Store) throws -> [String] {
    try store.names(prefix: [], after: [], limit: 10_000).names.map { name in
      let text = String(decoding: name, as: UTF8.self)
      let facts = try name.withUnsafeBytes { try store.facts(of: TwinName(unchecked: $0)) }
      let messages = facts?.facts.map { "\($0.sequence).\($0.ordinal) \($0.message)" } ?? []
      return "\(text) \(try store.revision(text) ?? 0) \(String(describing: try store.read(text))) \(messages)"
    }
  }

  @Test func aRestoredStoreHasEverything() throws {
    let store = try place.open(clock: clock)
    try OperationsScene.write(store, clock, round: 1)
    var steps: [BackupProgress] = []
    let report = try store.backup(to: file) { steps.append($0) }
    #expect(report.sequence == store.head)
    #expect(steps.last.map { $0.pagesDone == $0.pagesTotal && $0.pagesTotal > 1 } == true)
    let before = try content(store)
    #expect(before.count > 20)
    #expect(try restore().sequence == report.sequence)
    #expect(try StoreCheck.run(directory: restored, scratch: NSTemporaryDirectory()).isSound)
    let again = try Store(directory: restored, options: .small, clock: clock)
    #expect(again.head == report.sequence)
    #expect(try content(again) == before)
    #expect(try again.update("acme/customer/1", ["a": .int(1), "b": .int(1)], key: "1-1").sequence <= report.sequence)
  }

  @Test func aBackupIsOneFileOfItsOwnersAlone() throws {
    let store = try place.open(clock: clock)
    try OperationsScene.write(store, clock, round: 1)
    let report = try store.backup(to: file)
    #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == ["b.twind"])
    let attributes = try FileManager.default.attributesOfItem(atPath: file)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(attributes[.size] as? Int == report.byteCount)
    // Bytes 18 and 19 of the header: 1 = no write-ahead log.
    let header = try #require(FileManager.default.contents(atPath: file)).prefix(20)
    #expect([header[18], header[19]] == [1, 1])
  }

  @Test func sequencesAreNotIssuedAgain() throws {
    let store = try place.open(clock: clock)
    try OperationsScene.write(store, clock, round: 1)
    let report = try store.backup(to: file)
    let later = try store.update("acme/customer/1", ["z": .int(1)]).sequence
    _ = try restore()
    let again = try Store(directory: restored, options: .small, clock: clock)
    #expect(throws: TwinError.self) { try again.checkResumable(later) }
    try again.checkResumable(report.sequence)
    #expect(try again.update("acme/customer/1", ["z": .int(2)]).sequence == report.sequence + Store.restoreJump + 1)
    try again.close()
    let third = try Store(directory: restored, options: .small, clock: clock)
    #expect(try third.update("acme/customer/1", ["z": .int(3)]).sequence == report.sequence + Store.restoreJump + 2)
  }

  /// A backup of a restored store that was never written, restored.
  @Test func jumpsAddUp() throws {
    let store = try place.open(clock: clock)
    try store.update("a/b/1", ["a": .int(1)])
    _ = try store.backup(to: file)
    _ = try restore()
    let second = try Store(directory: restored, options: .small, clock: clock)
    _ = try second.backup(to: file + "2")
    _ = try StoreRestore.run(backup: file + "2", directory: restored + "2", scratch: NSTemporaryDirectory())
    let third = try Store(directory: restored + "2", options: .small, clock: clock)
    #expect(third.head == 1)
    #expect(try third.update("a/b/1", ["a": .int(2)]).sequence == 2 * Store.restoreJump + 2)
  }

  @Test func commitsGoOnMeanwhile() throws {
    let store = try place.open(clock: clock)
    for round in 1...4 { try OperationsScene.write(store, clock, round: round) }
    var during: UInt64 = 0
    let report = try store.backup(to: file) { step in
      if step.pagesDone < step.pagesTotal || during == 0 {
        during = try store.update("acme/customer/1", ["during": .int(Int64(step.pagesDone))]).sequence
        #expect(try store.value("acme/customer/1", "during") == .int(Int64(step.pagesDone)))
      }
    }
    #expect(during > report.sequence)
    _ = try restore()
    let again = try Store(directory: restored, options: .small, clock: clock)
    #expect(again.head == report.sequence)
    #expect(try again.value("acme/customer/1", "during") == nil)
  }

  @Test func nothingIsOverwritten() throws {
    let store = try place.open(clock: clock)
    try store.update("a/b/1", ["a": .int(1)])
    try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
    #expect(throws: StoreError.exists(path: file)) { try store.backup(to: file) }
    #expect(FileManager.default.contents(atPath: file) == Data("mine".utf8))
    let nowhere = target.path + "/no/b"
    #expect(throws: StoreError.noDirectory(path: target.path + "/no")) {
      try store.backup(to: nowhere)
    }
    // It appears while the backup is made.
    let late = target.path + "/late"
    #expect(throws: StoreError.exists(path: late)) {
      try store.backup(to: late) { _ in try Data("mine".utf8).write(to: URL(fileURLWithPath: late)) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: target.path).sorted() == ["b.twind", "late"])
  }

  @Test func whatAKilledBackupHasLeftIsReplaced() throws {
    let store = try place.open(clock: clock)
    try OperationsScene.write(store, clock, round: 1)
    for left in [".partial", ".partial-journal", ".partial-wal", ".partial-shm"] {
      try Data(repeating: 7, count: 50_000).write(to: URL(fileURLWithPath: file + left))
    }
    let report = try store.backup(to: file)
    #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == ["b.twind"])
    let attributes = try FileManager.default.attributesOfItem(atPath: file)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(try restore().sequence == report.sequence)
  }

  /// Another daemon's, which may have the same target.
  @Test func oneThatIsUnderWayIsNotReplaced() throws {
    let elsewhere = Workplace()
    let other = try elsewhere.open(clock: clock)
    try OperationsScene.write(other, clock, round: 1)
    let store = try place.open(clock: clock)
    var refusals = 0
    let report = try other.backup(to: file) { _ in
      #expect(throws: StoreError.exists(path: file + ".partial")) { try store.backup(to: file) }
      refusals += 1
    }
    #expect(refusals > 0)
    #expect(try restore().sequence == report.sequence)
  }

  @Test func oneThatIsGivenUpLeavesNothing() throws {
    let store = try place.open(clock: clock)
    try OperationsScene.write(store, clock, round: 1)
    for stopAt in 0..<2 {
      var count = 0
      #expect(throws: StoreError.cancelled) {
        try store.backup(to: file) { _ in
          if count == stopAt { throw StoreError.cancelled }
          count += 1
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == [])
    }
    _ = try store.checkpoint()
    _ = try store.backup(to: file)
  }

  /// A page that was copied wrong never gets the backup's name.
  @Test func aBadCopyIsNoBackup() throws {
    let store = try place.open(clock: clock)
    for round in 1...4 { try OperationsScene.write(store, clock, round: round) }
    let partial = file + ".partial"
    let error = #expect(throws: StoreError.self) {
      var isBroken = false
      _ = try store.backup(to: file) { step in
        // Once all is copied, and before it is verified.
        guard step.pagesDone == step.pagesTotal, !isBroken else { return }
        let size = try FileManager.default.attributesOfItem(atPath: partial)[.size] as? Int ?? 0
        guard size >= step.pagesTotal * 4_096 else { return }
        isBroken = true
        for page in 2..<size / 4_096 { try flip(partial, at: page * 4_096 + 4_000) }
      }
    }
    if case .unsound = error {} else { Issue.record("\(String(describing: error))") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == [])
  }
}
