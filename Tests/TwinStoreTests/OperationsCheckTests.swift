// `twind verify`: sound directories are sound and stay as they are, broken ones are not.

import Foundation
import Testing
import TwinCore
import TwinStore

@Suite struct OperationsCheckTests {
  @Test func aCleanStopIsSound() throws {
    let scene = try OperationsScene.closed()
    let report = try scene.check()
    #expect(report.problems == [])
    #expect(report.checked[.twins] == 29)
    #expect(report.checked[.idempotency] == 40)
    #expect(Int64(report.checked[.facts] ?? 0) == (try scene.number("SELECT count(*) FROM facts")))
    #expect(report.sequence == UInt64(try scene.number("SELECT applied_sequence FROM checkpoint")))
  }

  @Test func aCrashIsSoundAndReplayed() throws {
    let scene = try OperationsScene.crashed()
    let report = try scene.check()
    #expect(report.problems == [])
    #expect((report.checked[.replay] ?? 0) > 70)
    let store = try Store(directory: scene.place.path, options: .small)
    #expect(store.head == report.sequence)
  }

  @Test func aCheckChangesNothing() throws {
    for scene in [try OperationsScene.closed(), try OperationsScene.crashed()] {
      let before = try scene.files()
      let scratch = Workplace()
      try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
      #expect(try StoreCheck.run(directory: scene.place.path, scratch: scratch.path).isSound)
      #expect(try scene.files() == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == [])
    }
  }

  /// So that a check that is killed leaves nothing.
  @Test func theCopyHasNoNameWhileItIsChecked() throws {
    let scene = try OperationsScene.crashed()
    let scratch = Workplace()
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    var names: [String: [String]] = [:]
    let report = try StoreCheck.run(directory: scene.place.path, scratch: scratch.path) { progress in
      names[progress.step] = try? FileManager.default.contentsOfDirectory(atPath: scratch.path)
    }
    #expect(report.isSound)
    #expect(names["copying"]?.count == 1)
    #expect(names["pages"] == [])
  }

  @Test func theCrashedSceneHasAWriteAheadLog() throws {
    let scene = try OperationsScene.crashed()
    let log = try FileManager.default.attributesOfItem(atPath: scene.database + "-wal")[.size] as? Int
    #expect((log ?? 0) > 0)
  }

  @Test func aDirectoryInUseIsSaidToBe() throws {
    let place = Workplace()
    let store = try place.open()
    #expect(throws: StoreError.inUse(directory: place.path)) {
      try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory())
    }
    try store.close()
    #expect(try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory()).isSound)
  }

  @Test func whatIsNotThereIsAnError() throws {
    let place = Workplace()
    #expect(throws: StoreError.self) { try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory()) }
    try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: true)
    #expect(throws: StoreError.self) { try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory()) }
  }

  @Test(arguments: [
    ("UPDATE twins SET body = zeroblob(length(body)) WHERE id = 3", CheckReport.Part.twins),
    ("UPDATE twins SET body = X'' WHERE id = 3", .twins),
    ("UPDATE twins SET body = substr(body, 1, length(body) - 1) WHERE id = 3", .twins),
    ("DELETE FROM twins WHERE id = 3", .twins),
    ("DELETE FROM facts WHERE twin = 3", .facts),
    ("DELETE FROM facts WHERE id = (SELECT max(id) FROM facts)", .facts),
    ("UPDATE facts SET record = X'00' WHERE id = (SELECT min(id) FROM facts)", .facts),
    ("UPDATE facts SET flags = 1 - flags WHERE id = (SELECT min(id) FROM facts)", .facts),
    ("UPDATE facts SET twin = 99 WHERE twin = 3", .facts),
    ("UPDATE facts SET id = -id WHERE twin = 3", .facts),
    ("INSERT INTO facts SELECT id + 100, 99, flags, record, checksum FROM facts WHERE twin = 3", .facts),
    ("UPDATE idempotency SET result = X'0801' WHERE id = 3", .idempotency),
    ("UPDATE idempotency SET request_hash = request_hash + 1 WHERE id = 3", .idempotency),
    ("DELETE FROM idempotency WHERE id = 3", .idempotency),
    ("UPDATE checkpoint SET applied_sequence = applied_sequence - 1", .checkpoint),
    ("DELETE FROM checkpoint", .checkpoint),
    ("DROP TABLE idempotency", .idempotency),
  ]) func aBrokenRowIsFound(_ statement: String, _ part: CheckReport.Part) throws {
    let scene = try OperationsScene.closed()
    try scene.sql(statement)
    #expect(try scene.problems().contains(part), "\(statement)")
    try expectRecoverable(scene)
  }

  /// Every column of every table, as they are declared.
  @Test(arguments: (StoreTable.counted + [.checkpoint]).flatMap(changes))
  func aChangedColumnIsFound(_ statement: String, _ table: String) throws {
    let scene = try OperationsScene.closed()
    try scene.sql(statement)
    #expect(try scene.problems().map(\.rawValue).contains(table), "\(statement)")
  }

  private static func changes(_ table: StoreTable) -> [(String, String)] {
    let columns = [.integer("id")] + table.columns + [.integer("checksum")]
    return columns.map { column in
      let change =
        switch column {
        case .integer(let name): "\(name) = \(name) + 1"
        case .blob(let name): "\(name) = CAST(\(name) || X'00' AS BLOB)"
        }
      return ("UPDATE \(table.name) SET \(change) WHERE id = (SELECT max(id) FROM \(table.name))", table.name)
    }
  }

  /// What a check finds wrong it can also say about a directory that a start refuses; the check itself never fails.
  private func expectRecoverable(_ scene: OperationsScene) throws {
    let report = try scene.check()
    #expect(
      report.problems.allSatisfy { !$0.reason.isEmpty && !$0.remedy.isEmpty && $0.path.hasPrefix(scene.place.path) })
  }

  /// Both rows are whole, and each stands where the other belongs.
  @Test func swappedRowsAreFound() throws {
    let scene = try OperationsScene.closed()
    try scene.sql(
      """
      CREATE TEMP TABLE t AS SELECT * FROM facts WHERE twin IN (3, 4);
      UPDATE facts SET twin = 7 - twin WHERE twin IN (3, 4);
      """)
    #expect(try scene.problems().contains(.facts))
    let other = try OperationsScene.closed()
    try other.sql(
      """
      CREATE TEMP TABLE t AS SELECT * FROM twins WHERE id IN (3, 4);
      DELETE FROM twins WHERE id IN (3, 4);
      INSERT INTO twins SELECT 7 - id, name, body, checksum FROM t;
      """)
    #expect(try other.problems().contains(.twins))
  }

  /// A row of an older state is whole; only the sum of all tells.
  @Test func anOlderRowIsFound() throws {
    let (place, clock) = (Workplace(), ManualClock())
    let store = try place.open(clock: clock)
    try OperationsScene.write(store, clock, round: 1)
    _ = try store.checkpoint()
    let older = OperationsScene(try place.copy())
    try OperationsScene.write(store, clock, round: 2)
    try store.close()
    let scene = OperationsScene(place)
    #expect(try scene.check().isSound)
    try scene.sql(
      "ATTACH '\(older.database)' AS old; INSERT OR REPLACE INTO twins SELECT * FROM old.twins WHERE id = 2;")
    let problems = try scene.problems()
    #expect(problems.contains(.twins))
    #expect(problems.contains(.facts))
  }

  /// Checksums fit, and the facts do not make the twin.
  @Test func factsThatMakeAnotherTwinAreFound() throws {
    let scene = try OperationsScene.closed()
    let last = try scene.number("SELECT max(id) FROM facts WHERE twin = 4")
    let sum = try scene.number("SELECT checksum FROM facts WHERE id = \(last)")
    try scene.sql("DELETE FROM facts WHERE id = \(last)")
    let count = try scene.number("SELECT count(*) FROM facts")
    try scene.setCheckpoint { $0[.facts].rowCount = count }
    try scene.setTwin(4, factDigestXor: sum, factCountDelta: -1)
    let problems = try scene.check().problems
    #expect(problems.first?.part == .facts)
    #expect(problems.first?.reason.contains("do not make the twin") == true)
    // The journal still has that commit.
    #expect(problems.dropFirst().map(\.part) == [.replay])
  }

  @Test(arguments: [Int64(-1), 1, 1 << 40]) func aWrongAppliedSequenceIsFound(_ delta: Int64) throws {
    let scene = try OperationsScene.closed()
    let applied = try scene.number("SELECT applied_sequence FROM checkpoint")
    try scene.setCheckpoint { $0.appliedSequence = UInt64(applied + delta) }
    #expect(try !scene.check().isSound == (delta > 0))
  }

  /// The database says that it has commits which only the journal has.
  @Test func anAppliedSequenceThatPromisesTooMuchIsFound() throws {
    let scene = try OperationsScene.crashed()
    let head = Int64(try scene.check().sequence)
    try scene.setCheckpoint { $0.appliedSequence = UInt64(head) }
    #expect(try scene.problems() == [.replay])
  }

  @Test func aJournalThatIsGoneIsFound() throws {
    for scene in [try OperationsScene.closed(), try OperationsScene.crashed()] {
      for segment in scene.segments { try FileManager.default.removeItem(atPath: segment) }
      #expect(try scene.problems().contains(.journal))
    }
  }

  @Test func aJournalThatWasCutIsFound() throws {
    let scene = try OperationsScene.crashed()
    let segment = try #require(scene.segments.last)
    try FileHandle(forUpdating: URL(fileURLWithPath: segment)).truncate(atOffset: 4_096)
    #expect(try scene.problems().contains(.journal))
  }

  @Test func everyByteOfADatabaseFileIsGuarded() throws {
    let scene = try OperationsScene.closed()
    let size = try #require(scene.files()["twind.db"]).count
    let sound = try content(scene)
    for offset in stride(from: 0, to: size, by: 1_999) {
      let broken = OperationsScene(try scene.place.copy())
      try flip(broken.database, at: offset)
      guard let report = try? broken.check(), report.isSound else { continue }
      // Free space, or a counter in the header: what is read is what was written.
      #expect(try content(broken) == sound, "byte \(offset)")
    }
  }

  private func content(_ scene: OperationsScene) throws -> [String] {
    let store = try Store(directory: try scene.place.copy().path, options: .small)
    var lines: [String] = ["\(store.head)"]
    for name in try store.names(prefix: [], after: [], limit: 1_000).names {
      let name = String(decoding: name, as: UTF8.self)
      lines.append("\(name) \(try store.revision(name) ?? 0) \(String(describing: try store.read(name)))")
    }
    return lines
  }
}
