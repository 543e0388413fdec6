// `twind restore` refuses what is no sound backup, and a directory that holds anything; `twind recover` drops what it said.

import Foundation
import Testing
import TwinCore
import TwinStore

@Suite struct OperationsRestoreTests {
  private let target = Workplace()
  private let clock = ManualClock()

  init() throws {
    try FileManager.default.createDirectory(atPath: target.path, withIntermediateDirectories: true)
    let place = Workplace()
    let store = try place.open(clock: clock)
    try OperationsScene.write(store, clock, round: 1)
    _ = try store.backup(to: file)
  }

  private var file: String { target.path + "/b.twind" }
  private var data: String { target.path + "/data" }

  private func restore(_ path: String? = nil) throws {
    _ = try StoreRestore.run(backup: path ?? file, directory: data, scratch: NSTemporaryDirectory())
  }

  private func expectRefused(_ isRight: (StoreError) -> Bool) {
    let error = #expect(throws: StoreError.self) { try restore() }
    #expect(error.map(isRight) == true, "\(String(describing: error))")
    #expect(!FileManager.default.fileExists(atPath: data + "/twind.db"))
    #expect(!FileManager.default.fileExists(atPath: data + "/twind.db.partial"))
  }

  @Test func aDirectoryThatHoldsAnythingIsNotTouched() throws {
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: data + "/note"))
    expectRefused { $0 == .exists(path: data + "/note") }
    try FileManager.default.removeItem(atPath: data + "/note")
    try restore()
    let again = #expect(throws: StoreError.self) { try restore() }
    #expect(again == .exists(path: data + "/twind.db"))
  }

  @Test func whatAKilledRestoreHasLeftIsNoEmptyStart() throws {
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    for left in ["/lock", "/twind.db.partial"] { try Data([7]).write(to: URL(fileURLWithPath: data + left)) }
    let refusal = #expect(throws: StoreError.self) { try Store(directory: data, options: .small, clock: clock) }
    if case .missing(data + "/twind.db", _) = refusal {} else { Issue.record("\(String(describing: refusal))") }
    try restore()
    #expect(!FileManager.default.fileExists(atPath: data + "/twind.db.partial"))
    #expect(try Store(directory: data, options: .small, clock: clock).head > 0)
  }

  @Test func everyFlippedByteIsFoundOrHarmless() throws {
    try restore()
    let sound = try Data(contentsOf: URL(fileURLWithPath: data + "/twind.db"))
    #expect(sound == FileManager.default.contents(atPath: file))
    for offset in stride(from: 100, to: sound.count, by: 2_477) {
      try FileManager.default.removeItem(atPath: data)
      try flip(file, at: offset)
      if (try? restore()) != nil {
        #expect(try StoreCheck.run(directory: data, scratch: NSTemporaryDirectory()).checked[.twins] == 29)
      } else {
        #expect(!FileManager.default.fileExists(atPath: data + "/twind.db"))
      }
      try flip(file, at: offset)
      if !FileManager.default.fileExists(atPath: data) {
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
      }
    }
  }

  @Test func foreignAndNewerFilesAreRefused() throws {
    let scene = OperationsScene(target)
    try FileManager.default.moveItem(atPath: file, toPath: scene.database)
    try scene.sql("PRAGMA user_version = 99")
    try FileManager.default.moveItem(atPath: scene.database, toPath: file)
    expectRefused { if case .newerFormat(_, 99, _) = $0 { true } else { false } }
    try Data("SQLite format 2".utf8).write(to: URL(fileURLWithPath: file))
    expectRefused { if case .database(_, _, 26, _) = $0 { true } else { false } }
    try FileManager.default.removeItem(atPath: file)
    expectRefused { if case .missing = $0 { true } else { false } }
  }

  @Test func aDatabaseOfADataDirectoryIsNoBackup() throws {
    let scene = try OperationsScene.closed()
    try FileManager.default.removeItem(atPath: file)
    try FileManager.default.copyItem(atPath: scene.database, toPath: file)
    expectRefused { if case .notABackup = $0 { true } else { false } }
  }

  @Test func aCutBackupIsRefused() throws {
    let size = try #require(FileManager.default.contents(atPath: file)).count
    try FileHandle(forUpdating: URL(fileURLWithPath: file)).truncate(atOffset: UInt64(size - 8_192))
    expectRefused { _ in true }
  }
}

@Suite struct OperationsDropTests {
  private func plan(_ scene: OperationsScene, _ sequence: UInt64) throws -> DropPlan {
    try DropPlan(after: sequence, directory: scene.place.path, scratch: NSTemporaryDirectory())
  }

  @Test func whatIsDroppedWasAnnouncedAndIsKeptAside() throws {
    let scene = try OperationsScene.crashed()
    let head = try scene.check().sequence
    let before = try scene.files()
    let plan = try plan(scene, head - 10)
    #expect(plan.isNeeded)
    #expect(plan.droppedCount == 10)
    #expect(plan.dropped == head - 9...head)
    #expect(plan.keptThrough == head - 10)
    #expect(plan.damage == nil)
    #expect(try scene.files() == before)
    let report = try plan.run(options: Store.Options.small.journal)
    #expect(report.lastSequence == head - 10)
    #expect(report.files.allSatisfy { $0.hasSuffix(".dropped") && FileManager.default.fileExists(atPath: $0) })
    #expect(report.bytesDropped > 0)
    let check = try plan.check()
    #expect(check.problems == [])
    #expect(check.sequence == head - 10)
  }

  @Test func aDamagedJournalIsRecoveredUpToTheDamage() throws {
    let scene = try OperationsScene.crashed()
    let head = try scene.check().sequence
    let journal = try JournalCheck(
      dataDirectory: scene.place.path, fileSystem: PosixFileSystem(), appliedSequence: head, isExpected: true)
    // In the middle of what only the journal has.
    try flip(try #require(scene.segments.last), at: try #require(journal.segments.last).info.end - 4_000)
    let damaged = try scene.check()
    let keeps = try #require(damaged.problems.first)
    #expect(keeps.remedy.contains("--drop-after"))
    let plan = try plan(scene, head)
    #expect(plan.damage != nil)
    #expect(plan.keptThrough < head)
    _ = try plan.run(options: Store.Options.small.journal)
    let check = try plan.check()
    #expect(check.problems == [])
    #expect(check.sequence == plan.keptThrough)
  }

  @Test func whatTheDatabaseHoldsIsNotDropped() throws {
    let scene = try OperationsScene.crashed()
    let applied = UInt64(try scene.number("SELECT applied_sequence FROM checkpoint"))
    #expect(throws: StoreError.undroppable(sequence: applied - 1, applied: applied)) { try plan(scene, applied - 1) }
    let all = try plan(scene, applied)
    #expect(all.keptCount == 0 && all.droppedCount > 70)
    #expect(throws: StoreError.inUse(directory: scene.place.path)) { try plan(scene, applied) }
    withExtendedLifetime(all) {}
  }

  @Test func aSoundJournalNeedsNothing() throws {
    let scene = try OperationsScene.crashed()
    #expect(try !plan(scene, 1_000_000).isNeeded)
  }
}
