// Reading at start: the checkpoint row, and one scan of the twins (TableScan.swift).

import GRDB
import TwinCore

extension Database {
  func loadCheckpointRow() throws(StoreError) {
    let row = try Database.mapped(path, "read") { () throws in try writer.read { try CheckpointRow.read($0) } }
    guard let row else { throw corrupt("checkpoint", "1", "it is missing or its checksum does not match") }
    guard row.appliedSequence <= Limits.sequenceMax else {
      throw corrupt("checkpoint", "1", "its sequence is \(row.appliedSequence)")
    }
    checkpointRow = row
  }

  /// Checks the twins, and hands each to `body`.
  func scanTwins(_ body: (ScannedTwin) -> Void) throws(StoreError) {
    try scan(.twins) { row in
      guard let twin = ScannedTwin(row) else { return false }
      nextTwinID = max(nextTwinID, twin.id &+ 1)
      body(twin)
      return true
    }
  }

  func checked(_ row: Row) throws -> TwinRow {
    do {
      return try TwinRow(row)
    } catch let fault as RowFault {
      throw damagedTwin(Int64.fromDatabaseValue(row[0]) ?? 0, try bytes(row, 1) { quoted($0) }, fault.reason)
    }
  }
}
