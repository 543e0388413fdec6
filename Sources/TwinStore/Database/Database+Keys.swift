// The table of idempotency keys: read once at start, asked about single keys by commits, written by checkpoints.
//
// Promises: a key stands in it once; rows are in the order of the writes, and the oldest go first. As with twins, a start
// checks that every row is what was written, that none is missing, and that the index leads to every one: a key that it
// does not lead to would be done twice.

import GRDB
import GRDBSQLite
import TwinCore

extension Database {
  // MARK: Start

  func loadKeys(into table: IdempotencyTable) throws(StoreError) {
    var count: Int64 = 0
    var digest: UInt32 = 0
    var scopes = NameDigest()
    try scan("SELECT \(KeyRow.columns) FROM idempotency ORDER BY id") { statement in
      guard let row = ScannedKey(statement) else {
        throw corrupt("idempotency", "\(SQLiteRow(statement).number(0))", "it cannot be what was written")
      }
      count += 1
      digest ^= row.checksum
      scopes.add(row.id, row.scope)
      table.load(row)
    }
    try check("idempotency", count: count, digest: digest, checkpointRow.keyCount, checkpointRow.keyDigest)
    try checkKeyIndex(scopes)
    table.loaded(try lastKey())
  }

  private func scan(_ sql: String, _ body: (SQLiteStatement) throws -> Void) throws(StoreError) {
    try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        let prepared = try db.makeStatement(sql: sql)
        defer { withExtendedLifetime(prepared) {} }
        while true {
          let code = sqlite3_step(prepared.sqliteStatement)
          if code == SQLITE_DONE { break }
          if code != SQLITE_ROW { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
          try body(prepared.sqliteStatement)
        }
      }
    }
  }

  private func checkKeyIndex(_ expected: NameDigest) throws(StoreError) {
    let isThere = try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        try Bool.fetchOne(db, sql: "SELECT 1 FROM sqlite_schema WHERE name = 'idempotency_by_scope'") ?? false
      }
    }
    // Version 0.1 wrote this file.
    if !isThere { return }
    var found = NameDigest()
    var last: [UInt8] = []
    var isSorted = true
    try scan("SELECT id, scope FROM idempotency INDEXED BY idempotency_by_scope ORDER BY scope") { statement in
      let row = SQLiteRow(statement)
      let scope = row.bytes(1)
      // What is no blob, or not in its place, no search would find.
      let isAfter = last.isEmpty || last.withUnsafeBytes { compareBytes($0, scope) < 0 }
      isSorted = isSorted && isAfter && sqlite3_column_type(statement, 1) == SQLITE_BLOB
      found.add(row.number(0), scope)
      last.replaceSubrange(last.indices, with: scope)
    }
    if found != expected || !isSorted {
      throw corrupt("idempotency", "-", "its index by scope does not lead to every key once")
    }
  }

  /// When it is not there. Nothing else of version 0.1's files is other.
  func createKeyIndex() throws(StoreError) {
    try Database.mapped(path, "write") { () throws in
      try writer.write { db in try db.execute(sql: Database.createKeyIndex) }
    }
  }

  // MARK: Reading

  /// What stands under this key, expired or not; nil when nothing does.
  func key(_ scope: IdempotencyTable.Scope) throws(StoreError) -> IdempotencyTable.Entry? {
    try Database.mapped(path, "read") { () throws in
      try coldReader.read { db in
        let find = try db.cachedStatement(sql: "SELECT \(KeyRow.columns) FROM idempotency WHERE scope = ?")
        return try scope.bytes.withUnsafeBytes { bytes in
          try bytes.withData { try Row.fetchOne(find, arguments: [$0]) }.map(checkedKey)
        }
      }
    }
  }

  private func lastKey() throws(StoreError) -> IdempotencyTable.Entry? {
    try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        try Row.fetchOne(db, sql: "SELECT \(KeyRow.columns) FROM idempotency ORDER BY id DESC LIMIT 1").map(checkedKey)
      }
    }
  }

  private func checkedKey(_ row: Row) throws -> IdempotencyTable.Entry {
    guard let (entry, _) = KeyRow.entry(row) else {
      throw corrupt("idempotency", "\(row[0] as DatabaseValue)", "it cannot be what was written")
    }
    return entry
  }

  // MARK: Writing

  /// Writes keys, all or none, and changes the checkpoint row as `alter` says. Returns whose keys made room: what stood
  /// under the same keys had expired.
  func write(
    keys: ArraySlice<IdempotencyTable.Entry>, _ alter: (inout CheckpointRow) -> Void = { _ in }
  ) throws(StoreError) -> [AgentCounts.Place] {
    var dropped: [AgentCounts.Place] = []
    try transaction { db, row in
      for entry in keys {
        if let sum = try KeyRow.delete(db, under: entry.scope) {
          row.keyDigest ^= sum
          row.keyCount -= 1
          dropped.append(entry.scope.place)
        }
        row.keyDigest ^= try KeyRow.insert(db, entry)
        row.keyCount += 1
      }
      alter(&row)
    }
    return dropped
  }

  /// Drops the oldest keys that were recorded by this time, at most so many. Returns whose they were.
  func dropKeys(recordedBy time: Int64, countMax: Int) throws(StoreError) -> [AgentCounts.Place] {
    var dropped: [AgentCounts.Place] = []
    try transaction { db, row in
      let oldest = try db.cachedStatement(
        sql: "SELECT id, scope, recorded_at, checksum FROM idempotency ORDER BY id LIMIT ?")
      let rows = try Row.fetchCursor(oldest, arguments: [countMax])
      var last: Int64?
      while let key = try rows.next() {
        guard let id = Int64.fromDatabaseValue(key[0]), let recordedAt = Int64.fromDatabaseValue(key[2]),
          let sum = Int64.fromDatabaseValue(key[3]),
          let scope = try bytes(key, 1, { IdempotencyTable.Scope([UInt8]($0)) })
        else { throw corrupt("idempotency", "\(key[0] as DatabaseValue)", "it cannot be what was written") }
        if recordedAt > time { break }
        dropped.append(scope.place)
        row.keyDigest ^= UInt32(truncatingIfNeeded: sum)
        row.keyCount -= 1
        last = id
      }
      guard let last else { return }
      try db.cachedStatement(sql: "DELETE FROM idempotency WHERE id <= ?").execute(arguments: [last])
    }
    return dropped
  }
}
