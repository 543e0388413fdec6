// Checks a database whole: SQLite's own check, every row of every table, and that nothing is missing among them.
//
// Promises: goes on after a problem, so that one run shows everything, and takes memory for one twin's facts at a time.
// `twind verify` and `restore`, and a backup before it gets its name, call it.

import GRDB
import TwinCore

struct DatabaseCheck {
  private static let progressRows = 1_000
  private static let badPagesMax = 20

  let database: DatabaseSnapshot
  let progress: (CheckProgress) throws -> Void
  private(set) var report = CheckReport()
  /// Nil when it cannot be read.
  private(set) var row: CheckpointRow?
  /// The highest revision of a twin, or sequence of a result kept for its idempotency key.
  private(set) var newestRevision: UInt64 = 0

  /// - Parameter progress: may throw, and then the check does.
  init(_ database: DatabaseSnapshot, progress: @escaping (CheckProgress) throws -> Void) throws(StoreError) {
    self.database = database
    self.progress = progress
    try checkPages()
    try checkCheckpointRow()
    try checkTable("twins", .twins, Self.checkTwins)
    try checkTable("idempotency", .idempotency, Self.checkKeys)
    report.sequence = row?.appliedSequence ?? 0
  }

  private var path: String { database.path }

  /// Runs one part. What SQLite cannot read is a problem of the part and not the end of the check.
  private mutating func checkTable(
    _ table: String, _ part: CheckReport.Part, _ body: (inout DatabaseCheck, GRDB.Database) throws -> Void
  ) throws(StoreError) {
    report.count(part, 0)
    do throws(StoreError) {
      try database.read { db in try body(&self, db) }
    } catch {
      guard case .database(_, _, let code, let message) = error, [1, 11, 26].contains(code & 0xff) else { throw error }
      report.add(part, path, "table \(table)", "SQLite cannot read it: \(message)")
    }
  }

  // MARK: The file and the checkpoint row

  private mutating func checkPages() throws(StoreError) {
    try checkTable("sqlite_schema", .database) { check, db in
      check.report.count(.database, try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0)
      try check.progress(CheckProgress(step: "pages", done: 0, total: 0))
      let lines = try String.fetchAll(db, sql: "PRAGMA integrity_check(\(DatabaseCheck.badPagesMax))")
      for line in lines where line != "ok" {
        let remedy = line.contains(" index ") ? Remedy.text(check.path, "twins") : Remedy.backup
        check.report.add(.database, check.path, "SQLite's integrity check", line, remedy: remedy)
      }
    }
  }

  private mutating func checkCheckpointRow() throws(StoreError) {
    try checkTable("checkpoint", .checkpoint) { check, db in
      check.report.count(.checkpoint, try Int.fetchOne(db, sql: "SELECT count(*) FROM checkpoint") ?? 0)
      check.row = try CheckpointRow.read(db)
      guard let row = check.row else {
        return check.report.add(.checkpoint, check.path, "row 1", "it is missing or its checksum does not fit")
      }
      if row.appliedSequence > Limits.sequenceMax || row.resumableFrom > Limits.sequenceMax {
        check.report.add(
          .checkpoint, check.path, "row 1",
          "its sequences cannot be what was written: \(row.appliedSequence), and \(row.resumableFrom) to resume from")
      }
    }
  }

  // MARK: Twins and facts

  private static func checkTwins(_ check: inout DatabaseCheck, _ db: GRDB.Database) throws {
    let expected = Int(clamping: check.row?[.twins].rowCount ?? 0)
    var (found, isReadable, factCount) = (TableSum(), true, 0)
    let rows = try Row.fetchCursor(db, sql: "SELECT \(StoreTable.twins.columnList) FROM twins ORDER BY id")
    while let row = try rows.next() {
      let done = Int(found.rowCount) + 1
      if done % progressRows == 0 { try check.progress(CheckProgress(step: "twins", done: done, total: expected)) }
      do {
        let twin = try TwinRow(row)
        found.add(twin.checksum ?? 0)
        check.newestRevision = max(check.newestRevision, twin.image.revision)
        factCount += try check.checkFacts(of: twin, db)
      } catch let fault as RowFault {
        let name = try bytes(row, 1) { quoted($0) }
        let id = Int64.fromDatabaseValue(row[0]) ?? 0
        check.report.add(.twins, check.path, "row \(id) (\(name))", fault.reason, remedy: check.remedy(id))
        found.add(0)
        isReadable = false
        factCount += try check.checkFacts(ofUnreadable: id, db)
      }
    }
    check.report.count(.twins, Int(found.rowCount))
    check.compare(.twins, found, isReadable: isReadable, check.row?[.twins])
    try check.checkFactCount(factCount, db)
  }

  /// Returns how many there are.
  private mutating func checkFacts(of twin: TwinRow, _ db: GRDB.Database) throws -> Int {
    let (facts, count) = try facts(of: twin.id, db)
    guard facts.count == count else { return count }
    let place = "of twin \(twin.id) (\(quoted(twin.image.name.bytes)))"
    let remedy = remedy(twin.id)
    // What `twind recover --drop-twin` leaves.
    if count == 0 && twin.factCount == 0 && twin.image.isDeleted && twin.factsFrom == twin.image.recordedAt { return 0 }
    if count != twin.factCount || facts.reduce(0, { $0 ^ $1.checksum }) != twin.factDigest {
      report.add(
        .facts, path, place,
        "there are \(count), and \(twin.factCount) were written, or some are not those that were written last",
        remedy: remedy)
      return count
    }
    var fold = TwinFold(twin.image.name)
    do throws(RowFault) {
      try fold.add(all: facts, from: twin.factsFrom)
    } catch {
      report.add(.facts, path, place, error.reason, remedy: remedy)
      return count
    }
    if let fault = twin.image.fault(against: fold.image, from: twin.factsFrom) {
      report.add(.facts, path, place, "they do not make the twin: \(fault)", remedy: remedy)
    }
    return count
  }

  private mutating func checkFacts(ofUnreadable twin: Int64, _ db: GRDB.Database) throws -> Int {
    try facts(of: twin, db).count
  }

  /// Those that can be read, and how many there are.
  private mutating func facts(of twin: Int64, _ db: GRDB.Database) throws -> (readable: [FactRow], count: Int) {
    let select = try db.cachedStatement(
      sql: "SELECT \(StoreTable.facts.columnList) FROM facts WHERE twin = ? ORDER BY id")
    var facts: [FactRow] = []
    var count = 0
    let rows = try Row.fetchCursor(select, arguments: [twin])
    while let row = try rows.next() {
      count += 1
      do {
        facts.append(try FactRow(row))
      } catch let fault as RowFault {
        report.add(
          .facts, path, "row \(row[0] as DatabaseValue) of twin \(twin)", fault.reason, remedy: remedy(twin))
      }
    }
    report.count(.facts, count)
    return (facts, count)
  }

  private mutating func checkFactCount(_ ofTwins: Int, _ db: GRDB.Database) throws {
    report.count(.facts, 0)
    let all = try Int.fetchOne(db, sql: "SELECT count(*) FROM facts") ?? 0
    let remedy = Remedy.text(path, "facts")
    if all != ofTwins {
      report.add(.facts, path, "table facts", "\(all - ofTwins) rows are of no twin", remedy: remedy)
    }
    if let expected = row?[.facts].rowCount, expected != all {
      report.add(
        .facts, path, "table facts", "there are \(all) rows, and \(expected) were written", remedy: remedy)
    }
  }

  // MARK: Idempotency keys

  private static func checkKeys(_ check: inout DatabaseCheck, _ db: GRDB.Database) throws {
    var (found, isReadable) = (TableSum(), true)
    let rows = try Row.fetchCursor(db, sql: "SELECT \(StoreTable.idempotency.columnList) FROM idempotency ORDER BY id")
    while let row = try rows.next() {
      if let (entry, checksum) = KeyRow.entry(row) {
        found.add(checksum)
        check.newestRevision = max(check.newestRevision, entry.result.sequence)
      } else {
        check.report.add(
          .idempotency, check.path, "row \(row[0] as DatabaseValue)", "it cannot be what was written",
          remedy: Remedy.text(check.path, "idempotency"))
        found.add(0)
        isReadable = false
      }
    }
    check.report.count(.idempotency, Int(found.rowCount))
    check.compare(.idempotency, found, isReadable: isReadable, check.row?[.idempotency])
  }

  /// - Parameter isReadable: all rows are; the digest says nothing else.
  private mutating func compare(
    _ part: CheckReport.Part, _ found: TableSum, isReadable: Bool, _ expected: TableSum?
  ) {
    guard let expected else { return }
    let remedy = Remedy.text(path, part.rawValue)
    if found.rowCount != expected.rowCount {
      report.add(
        part, path, "table \(part.rawValue)",
        "there are \(found.rowCount) rows, and \(expected.rowCount) were written", remedy: remedy)
    } else if isReadable && found != expected {
      report.add(
        part, path, "table \(part.rawValue)", "some rows are not those that were written last", remedy: remedy)
    }
  }

  private func remedy(_ twin: Int64) -> String { Remedy.text(path, twin: twin) }
}
