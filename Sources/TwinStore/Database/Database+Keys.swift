// The table of idempotency keys: read once at start, asked about single keys by commits, written by checkpoints.
//
// Promises: a key is in it once; rows are in the order of the writes, and the oldest go first. A start checks the table as
// it does that of twins: a key that the index does not lead to would be done twice.

import GRDB
import TwinCore

extension Database {
  // MARK: Start

  func loadKeys(into table: IdempotencyTable) throws(StoreError) {
    try scan(.idempotency) { row in
      guard let key = ScannedKey(row) else { return false }
      table.load(key)
      return true
    }
    table.loaded(try lastKey())
  }

  // MARK: Reading

  /// What stands under this key, expired or not; nil when nothing does.
  func key(_ scope: IdempotencyTable.Scope) throws(StoreError) -> IdempotencyTable.Entry? {
    try Database.mapped(path, "read") { () throws in
      try coldReader.read { db in
        let find = try db.cachedStatement(
          sql: "SELECT \(StoreTable.idempotency.columnList) FROM idempotency WHERE scope = ?")
        return try scope.bytes.withUnsafeBytes { bytes in
          try bytes.withData { try Row.fetchOne(find, arguments: [$0]) }.map(checkedKey)
        }
      }
    }
  }

  private func lastKey() throws(StoreError) -> IdempotencyTable.Entry? {
    try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        try Row.fetchOne(
          db, sql: "SELECT \(StoreTable.idempotency.columnList) FROM idempotency ORDER BY id DESC LIMIT 1"
        )
        .map(checkedKey)
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
          row[.idempotency].remove(sum)
          dropped.append(entry.scope.place)
        }
        row[.idempotency].add(try KeyRow.insert(db, entry))
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
        row[.idempotency].remove(UInt32(truncatingIfNeeded: sum))
        last = id
      }
      guard let last else { return }
      try db.cachedStatement(sql: "DELETE FROM idempotency WHERE id <= ?").execute(arguments: [last])
    }
    return dropped
  }
}
