// One row of the table of idempotency keys.

import CTwindProto
import Foundation
import GRDB
import TwinCore

enum KeyRow {
  /// Inserts an entry and returns its checksum.
  static func insert(_ db: GRDB.Database, _ entry: IdempotencyTable.Entry) throws -> UInt32 {
    let result = encoded(entry.result)
    return try entry.scope.bytes.withUnsafeBytes { scope in
      try result.withUnsafeBytes { result in
        var row = try RowWriter(db, .idempotency, id: entry.id)
        row.add(scope)
        row.add(Int64(bitPattern: entry.requestHash))
        row.add(entry.recordedAt)
        row.add(result)
        return try row.write()
      }
    }
  }

  /// Deletes what stands under the key of an entry, and returns its checksum; nil when there is nothing.
  static func delete(_ db: GRDB.Database, under scope: IdempotencyTable.Scope) throws -> UInt32? {
    try scope.bytes.withUnsafeBytes { bytes in
      try bytes.withData { scope in
        let find = try db.cachedStatement(sql: "SELECT id, checksum FROM idempotency WHERE scope = ?")
        guard let row = try Row.fetchOne(find, arguments: [scope]), let id = Int64.fromDatabaseValue(row[0]),
          let sum = Int64.fromDatabaseValue(row[1])
        else { return nil }
        try db.cachedStatement(sql: "DELETE FROM idempotency WHERE id = ?").execute(arguments: [id])
        return UInt32(truncatingIfNeeded: sum)
      }
    }
  }

  /// A row with all columns of the table; nil when it cannot be what was written.
  static func entry(_ row: Row) -> (IdempotencyTable.Entry, checksum: UInt32)? {
    guard let (id, checksum) = try? StoreTable.idempotency.checked(row), id > 0, id < Int64(Limits.sequenceMax),
      let scopeBytes = Data.fromDatabaseValue(row[1]), let scope = IdempotencyTable.Scope([UInt8](scopeBytes)),
      let hash = Int64.fromDatabaseValue(row[2]), let recordedAt = Int64.fromDatabaseValue(row[3]),
      let encoded = Data.fromDatabaseValue(row[4]), let result = decoded(encoded)
    else { return nil }
    let entry = IdempotencyTable.Entry(
      id: id, scope: scope, requestHash: UInt64(bitPattern: hash), recordedAt: recordedAt, result: result)
    return (entry, checksum)
  }

  private static func encoded(_ result: CommitResult) -> Data {
    var message = Twind__Store__V1__WriteResult()
    twind__store__v1__write_result__init(&message)
    message.sequence = result.sequence
    message.fact_count = UInt32(result.factCount)
    message.n_revisions = result.revisions.count
    return result.revisions.withUnsafeBufferPointer { revisions in
      message.revisions = UnsafeMutablePointer(mutating: revisions.baseAddress)
      var data = Data(count: twind__store__v1__write_result__get_packed_size(&message))
      data.withUnsafeMutableBytes { bytes in
        _ = twind__store__v1__write_result__pack(&message, bytes.bindMemory(to: UInt8.self).baseAddress)
      }
      return data
    }
  }

  private static func decoded(_ data: Data) -> CommitResult? {
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
