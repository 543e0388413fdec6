// Reading everything at start.
//
// Promises: every row is checked; one that cannot be what was written stops the start, with its table, its row and
// what to do. Nothing that stands on disk is trapped on.

import CTwindProto
import Foundation
import GRDB
import TwinCore

extension Database {
  /// Where the last run ended.
  func loadSequences() throws(StoreError) -> SequenceRange {
    let (meta, jumps) = try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        (
          try Row.fetchAll(db, sql: "SELECT key, value FROM meta"),
          try Row.fetchAll(db, sql: "SELECT first, last FROM jumps ORDER BY first")
        )
      }
    }
    var values: [String: UInt64] = [:]
    for row in meta {
      guard let key = String.fromDatabaseValue(row[0]), let value = sequence(row[1]) else {
        throw corrupt("meta", "\(row[0] as DatabaseValue)", "its value is no sequence")
      }
      values[key] = value
    }
    func value(_ key: String) throws(StoreError) -> UInt64 {
      guard let value = values[key] else { throw corrupt("meta", key, "the row is missing") }
      return value
    }
    var ranges: [ClosedRange<UInt64>] = []
    for row in jumps {
      guard let first = sequence(row[0]), let last = sequence(row[1]), first <= last,
        first > ranges.last?.upperBound ?? 0
      else { throw corrupt("jumps", "\(row[0] as DatabaseValue)", "it is no range behind the one before") }
      ranges.append(first...last)
    }
    return SequenceRange(
      last: try value("sequence"), reserved: try value("sequence_reserved"), jumps: ranges,
      isClean: try value("clean_stop") == 1)
  }

  private func sequence(_ value: DatabaseValue) -> UInt64? {
    guard let number = Int64.fromDatabaseValue(value), number >= 0 else { return nil }
    return UInt64(number) <= Limits.sequenceMax ? UInt64(number) : nil
  }

  /// Hands every twin to `body`.
  func loadTwins(upTo head: UInt64, _ body: (TwinImage) -> Void) throws(StoreError) {
    try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        let rows = try Row.fetchCursor(
          db, sql: "SELECT name, revision, recorded_at, last_agent, deleted, attributes, id FROM twins")
        while let row = try rows.next() { body(try image(row, upTo: head)) }
      }
    }
  }

  private func image(_ row: Row, upTo head: UInt64) throws -> TwinImage {
    try bytes(row, 0) { nameBytes in
      func fault(_ reason: String) -> StoreError {
        corrupt("twins", "\(row[6] as DatabaseValue) (\(quoted(nameBytes)))", reason)
      }
      guard let revision = sequence(row[1]), revision > 0, revision <= head else {
        throw fault("its revision \(row[1] as DatabaseValue) is not one up to \(head)")
      }
      guard let recordedAt = Int64.fromDatabaseValue(row[2]), let deleted = Int64.fromDatabaseValue(row[4]) else {
        throw fault("recorded_at or deleted is no number")
      }
      return try bytes(row, 3) { agent in
        try bytes(row, 5) { records in
          do {
            return try TwinImage.decode(
              name: try TwinName(nameBytes), agent: agent, revision: revision, recordedAt: recordedAt,
              isDeleted: deleted != 0, records: records)
          } catch let error as RecordFault {
            throw fault("at byte \(error.offset) of its attributes: \(error.reason)")
          } catch let error as TwinError {
            throw fault(error.message)
          }
        }
      }
    }
  }

  private func bytes<R>(_ row: Row, _ column: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try row.withUnsafeData(atIndex: column) { data in try (data ?? Data()).withUnsafeBytes(body) }
  }

  func loadKeys(into table: IdempotencyTable) throws(StoreError) {
    try Database.mapped(path, "read") { () throws in
      try writer.read { db in
        let rows = try Row.fetchCursor(
          db, sql: "SELECT id, scope, request_hash, recorded_at, result FROM idempotency ORDER BY id")
        while let row = try rows.next() {
          guard let entry = entry(row), table.load(entry) else {
            throw corrupt("idempotency", "\(row[0] as DatabaseValue)", "it cannot be what was written")
          }
        }
      }
    }
  }

  private func entry(_ row: Row) -> IdempotencyTable.Entry? {
    guard let id = Int64.fromDatabaseValue(row[0]), id > 0, id < Int64(Limits.sequenceMax),
      let scopeBytes = Data.fromDatabaseValue(row[1]), let scope = IdempotencyTable.Scope([UInt8](scopeBytes)),
      let hash = Int64.fromDatabaseValue(row[2]), let recordedAt = Int64.fromDatabaseValue(row[3]),
      let encoded = Data.fromDatabaseValue(row[4]), let result = decoded(encoded)
    else { return nil }
    return IdempotencyTable.Entry(
      id: id, scope: scope, requestHash: UInt64(bitPattern: hash), recordedAt: recordedAt, result: result)
  }

  private func decoded(_ data: Data) -> CommitResult? {
    data.withUnsafeBytes { bytes in
      let start = bytes.bindMemory(to: UInt8.self).baseAddress
      guard let message = twind__store__v1__write_result__unpack(nil, bytes.count, start) else { return nil }
      defer { twind__store__v1__write_result__free_unpacked(message, nil) }
      let revisions = UnsafeBufferPointer(start: message.pointee.revisions, count: message.pointee.n_revisions)
      return CommitResult(
        sequence: message.pointee.sequence, revisions: [UInt64](revisions), factCount: Int(message.pointee.fact_count))
    }
  }
}
