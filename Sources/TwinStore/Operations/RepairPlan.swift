// Giving up what is damaged in the database, looked at before it is done: `twind recover --drop-twin`, `--drop-keys` and
// `--rebuild`.
//
// A twin that is given up becomes a deleted one, as of the journal's end: what the journal has of it is then passed over,
// its history begins there, and a watch begins anew. Afterwards the counts and digests of all tables are those of what is
// there, so a plan also says what is missing beside what it drops.
//
// Promises: holds the directory's lock from the look to the deed, which is one transaction. The journal stays as it is.

import Foundation
import GRDB
import GRDBSQLite
import TwinCore

package final class RepairPlan {
  /// What an operator asks for.
  package struct Wanted: Sendable {
    /// Names of twins, or numbers of their rows.
    package var twins: [String]
    package var keys: Bool

    package init(twins: [String] = [], keys: Bool = false) {
      self.twins = twins
      self.keys = keys
    }
  }

  /// A twin to be given up.
  package struct Twin: Equatable, Sendable {
    package var row: Int64
    /// Nil when neither its row nor the index has a name that can be one.
    package var name: [UInt8]?
    package var factCount: Int
    /// What is wrong with its row; nil = nothing.
    package var fault: String?
  }

  package private(set) var twins: [Twin] = []
  /// Idempotency keys to be forgotten.
  package private(set) var keyCount = 0
  /// Rows that were written and are not there.
  package private(set) var missing: [(table: String, count: Int)] = []
  /// Facts of no twin, which go too.
  package private(set) var strayFactCount = 0

  private let wanted: Wanted
  private let directory: String
  private let fileSystem: any FileSystem
  private let scratch: String
  private let lock: any FileLock
  /// The last commit, and when it was recorded.
  private var end: (sequence: UInt64, recordedAt: Int64) = (0, .min)

  private var path: String { directory + "/twind.db" }

  /// - Throws: `noTwin` for one that is not there, `damaged` when the journal is, `inUse`, `missing`, `corrupt` when the
  ///   database does not say how much it holds, `newerFormat`, `io`.
  package init(
    _ wanted: Wanted, directory: String, fileSystem: any FileSystem = PosixFileSystem(), scratch: String
  ) throws(StoreError) {
    lock = try StoreCheck.locked(directory, fileSystem)
    self.wanted = wanted
    self.directory = directory
    self.fileSystem = fileSystem
    self.scratch = scratch
    let database = try DatabaseSnapshot(path, fileSystem, scratch: scratch) { _ in }
    guard let row = try database.read({ try CheckpointRow.read($0) }) else {
      throw .corrupt(path: path, table: "checkpoint", row: "1", reason: "it is missing or its checksum does not fit")
    }
    try database.read { db in
      for target in wanted.twins { twins.append(try self.find(target, db)) }
      try self.count(db, row)
    }
    try findEnd(row)
  }

  deinit { lock.unlock() }

  // MARK: Looking

  private func find(_ target: String, _ db: GRDB.Database) throws -> Twin {
    let number = Int64(target)
    // Not by the index alone: that may be what is damaged.
    let row = try Row.fetchOne(
      db, sql: "SELECT \(StoreTable.twins.columnList) FROM twins NOT INDEXED WHERE id = ? OR name = ?",
      arguments: [number, Data(target.utf8)])
    let rowID = row.flatMap { Int64.fromDatabaseValue($0[0] as DatabaseValue) }
    let indexed = try Self.indexed(db) { id, name in rowID.map { $0 == id } ?? (name == [UInt8](target.utf8)) }
    guard let id = rowID ?? indexed?.id else {
      throw StoreError.noTwin(path: path, target: target)
    }
    var twin = Twin(row: id, factCount: 0)
    let found =
      try row ?? Row.fetchOne(db, sql: "SELECT \(StoreTable.twins.columnList) FROM twins WHERE id = ?", arguments: [id])
    if let found {
      do { _ = try TwinRow(found) } catch let fault as RowFault { twin.fault = fault.reason }
      twin.name = Self.name(Data.fromDatabaseValue(found[1]).map { [UInt8]($0) })
    }
    twin.name = Self.name(indexed?.name) ?? twin.name
    twin.factCount = try Int.fetchOne(db, sql: "SELECT count(*) FROM facts WHERE twin = ?", arguments: [id]) ?? 0
    return twin
  }

  /// The first entry of the index by name that is meant.
  private static func indexed(
    _ db: GRDB.Database, _ isMeant: (Int64, [UInt8]) -> Bool
  ) throws -> (id: Int64, name: [UInt8])? {
    let rows = try Row.fetchCursor(db, sql: "SELECT id, name FROM twins INDEXED BY twins_by_name ORDER BY name")
    while let row = try rows.next() {
      guard let id = Int64.fromDatabaseValue(row[0]), let name = Data.fromDatabaseValue(row[1]) else { continue }
      if isMeant(id, [UInt8](name)) { return (id, [UInt8](name)) }
    }
    return nil
  }

  private static func name(_ bytes: [UInt8]?) -> [UInt8]? {
    bytes.flatMap { bytes in bytes.withUnsafeBytes { (try? TwinName($0)) == nil ? nil : bytes } }
  }

  private func count(_ db: GRDB.Database, _ row: CheckpointRow) throws {
    for table in StoreTable.counted {
      let expected = row[table.tag].rowCount
      let found = try Int64.fetchOne(db, sql: "SELECT count(*) FROM \(table.name) NOT INDEXED") ?? 0
      if table.tag == .idempotency && wanted.keys { keyCount = Int(found) }
      if found < expected { missing.append((table.name, Int(clamping: expected - found))) }
    }
    strayFactCount =
      try Int.fetchOne(db, sql: "SELECT count(*) FROM facts WHERE twin NOT IN (SELECT id FROM twins)") ?? 0
  }

  private func findEnd(_ row: CheckpointRow) throws(StoreError) {
    end = (row.appliedSequence, row.recordedAt)
    let folder = JournalFolder(dataDirectory: directory, fileSystem: fileSystem)
    let recovery = try Journal.recover(
      dataDirectory: directory, fileSystem: fileSystem, appliedSequence: row.appliedSequence,
      isExpected: row.expectsJournal
    ) { (record) throws(StoreError) in
      do throws(RecordFault) {
        let commit = try CommitPayload(decoding: record.payload, sequence: record.sequence)
        if record.sequence > row.appliedSequence { end.recordedAt = max(end.recordedAt, commit.recordedAt) }
      } catch {
        throw folder.damage(
          JournalFault(
            segment: record.segment, offset: record.offset, reason: error.reason, keeps: record.sequence - 1))
      }
    }
    end.sequence = max(end.sequence, recovery.lastSequence)
  }

  // MARK: Doing

  /// Does it, in one transaction.
  package func run() throws(StoreError) {
    let database = try Database(
      path: path, fileSystem: fileSystem, migration: Migration(path: path, journal: (directory, fileSystem)))
    try database.loadCheckpointRow()
    do throws(StoreError) {
      try database.transaction { db, row in
        try db.execute(sql: "REINDEX")
        for twin in twins { try giveUp(twin, db) }
        try db.execute(sql: "DELETE FROM facts WHERE twin NOT IN (SELECT id FROM twins)")
        if wanted.keys { try db.execute(sql: "DELETE FROM idempotency") }
        if !twins.isEmpty || !missing.isEmpty || strayFactCount > 0 {
          row.resumableFrom = end.sequence
          row.recordedAt = end.recordedAt
        }
        try Self.countAnew(db, &row)
      }
      _ = try database.checkpointLog()
    } catch {
      try? database.close(hasFailed: true)
      throw error
    }
    try database.close(hasFailed: false)
  }

  private func giveUp(_ twin: Twin, _ db: GRDB.Database) throws {
    try db.execute(sql: "DELETE FROM facts WHERE twin = ?", arguments: [twin.row])
    try db.execute(sql: "DELETE FROM twins WHERE id = ?", arguments: [twin.row])
    guard let name = twin.name else { return }
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    let image = try name.withUnsafeBytes { name in
      try Self.agent.withUnsafeBytes { agent in
        try TwinImage.decode(
          name: TwinName(unchecked: name), agent: agent, revision: end.sequence, recordedAt: end.recordedAt,
          isDeleted: true, records: nothing, pending: nothing)
      }
    }
    var row = TwinRow(id: twin.row, image: image)
    row.factsFrom = end.recordedAt
    _ = try row.write(db)
  }

  /// Who is said to have deleted them.
  private static let agent = [UInt8]("twind-recover".utf8)

  /// Rows that are damaged keep the checksum that they state: the next look finds them.
  private static func countAnew(_ db: GRDB.Database, _ row: inout CheckpointRow) throws {
    for table in StoreTable.counted {
      var sum = TableSum()
      let checksums = try Int64.fetchCursor(db, sql: "SELECT checksum FROM \(table.name)")
      while let checksum = try checksums.next() { sum.add(UInt32(truncatingIfNeeded: checksum)) }
      row[table.tag] = sum
    }
  }

  /// Checks the whole directory as it is now.
  package func check(progress: (CheckProgress) -> Void = { _ in }) throws(StoreError) -> CheckReport {
    try StoreCheck.runLocked(directory: directory, fileSystem: fileSystem, scratch: scratch, progress: progress)
  }
}
