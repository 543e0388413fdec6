// Reading at start: the checkpoint row, and one scan of the twins. (Idempotency keys: Database+Keys.swift.)
//
// Promises: every row is checked, and that none is missing; what cannot be what was written stops the start, with its
// table, its row and what to do. Nothing that stands on disk is trapped on.

import CTwindProto
import Foundation
import GRDB
import GRDBSQLite
import TwinCore

extension Database {
  func loadCheckpointRow() throws(StoreError) {
    let row = try Database.mapped(path, "read") { () throws in try writer.read { try CheckpointRow.read($0) } }
    guard let row else { throw corrupt("checkpoint", "1", "it is missing or its checksum does not fit") }
    guard row.appliedSequence <= Limits.sequenceMax else {
      throw corrupt("checkpoint", "1", "its sequence is \(row.appliedSequence)")
    }
    checkpointRow = row
  }

  /// Checks every row of twins, and that all are there, and hands each to `body`. A million rows: SQLite is asked
  /// directly, nothing is decoded. A row whose checksum fits is what was written.
  func scanTwins(_ body: (ScannedTwin) -> Void) throws(StoreError) {
    var count: Int64 = 0
    var digest: UInt32 = 0
    var names = NameDigest()
    try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        let prepared = try db.makeStatement(sql: "SELECT \(TwinRow.columns) FROM twins")
        defer { withExtendedLifetime(prepared) {} }
        let statement = prepared.sqliteStatement
        while true {
          let code = sqlite3_step(statement)
          if code == SQLITE_DONE { break }
          if code != SQLITE_ROW { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
          guard let twin = ScannedTwin(statement) else { throw damagedTwin(statement) }
          count += 1
          digest ^= twin.checksum
          names.add(twin.id, twin.name)
          nextTwinID = max(nextTwinID, twin.id &+ 1)
          body(twin)
        }
      }
    }
    try check("twins", count: count, digest: digest, checkpointRow.twinCount, checkpointRow.twinDigest)
    try checkNames(names)
  }

  /// A twin that its name does not lead to would be one that never existed: looked up, listed and written anew.
  private func checkNames(_ expected: NameDigest) throws(StoreError) {
    var found = NameDigest()
    var last: [UInt8] = []
    var isSorted = true
    try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        let prepared = try db.makeStatement(sql: "SELECT id, name FROM twins INDEXED BY twins_by_name ORDER BY name")
        defer { withExtendedLifetime(prepared) {} }
        let row = SQLiteRow(prepared.sqliteStatement)
        while true {
          let code = sqlite3_step(prepared.sqliteStatement)
          if code == SQLITE_DONE { break }
          if code != SQLITE_ROW { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
          let name = row.bytes(1)
          // What is no blob, or not in its place, no search would find.
          let isAfter = last.isEmpty || last.withUnsafeBytes { compareBytes($0, name) < 0 }
          isSorted = isSorted && isAfter && sqlite3_column_type(prepared.sqliteStatement, 1) == SQLITE_BLOB
          found.add(row.number(0), name)
          last.replaceSubrange(last.indices, with: name)
        }
      }
    }
    if found != expected || !isSorted { throw corrupt("twins", "-", "its index by name does not lead to every twin") }
  }

  private func damagedTwin(_ statement: SQLiteStatement) -> StoreError {
    let row = SQLiteRow(statement)
    return damagedTwin(row.number(0), quoted(row.bytes(1)), "its checksum does not fit what stands in it")
  }

  func checked(_ row: Row) throws -> TwinRow {
    do {
      return try TwinRow(row)
    } catch let fault as RowFault {
      throw damagedTwin(Int64.fromDatabaseValue(row[0]) ?? 0, try bytes(row, 1) { quoted($0) }, fault.reason)
    }
  }

  func check(
    _ table: String, count: Int64, digest: UInt32, _ expectedCount: Int64, _ expectedDigest: UInt32
  ) throws(StoreError) {
    if count != expectedCount {
      throw corrupt(table, "-", "there are \(count) rows, and \(expectedCount) were written")
    }
    if digest != expectedDigest { throw corrupt(table, "-", "some rows are not those that were written last") }
  }
}
