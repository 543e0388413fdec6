// Rows as format 2 has them, where format 3 has others.

import Foundation
import GRDB
import TwinCore

enum Format2 {
  static let twinColumns =
    "id, name, revision, recorded_at, last_agent, deleted, attributes, pending, facts_from, fact_count, fact_digest, checksum"

  /// A twin's row and the checksum that it had; nil when that does not match. Throws a reason when the row cannot be what
  /// was written all the same.
  static func twin(_ row: SQLiteRow) throws -> (TwinRow, checksum: UInt32)? {
    var sum = RowChecksum(.twins)
    for column: Int32 in [0, 2, 3, 5, 8, 9, 10] { sum.add(row.number(column)) }
    for column: Int32 in [1, 4, 6, 7] { sum.add(row.bytes(column)) }
    guard Int64(sum.value) == row.number(11), let revision = UInt64(exactly: row.number(2)),
      let factDigest = UInt32(exactly: row.number(10))
    else { return nil }
    let (forgottenThrough, pending) = TwinImage.forgotten(in: row.bytes(7))
    let body = TwinBody(
      revision: revision, recordedAt: row.number(3), factsFrom: row.number(8), factCount: row.number(9),
      forgottenThrough: forgottenThrough, factDigest: factDigest, isDeleted: row.number(5) != 0, agent: row.bytes(4),
      records: row.bytes(6), pending: pending)
    var twin = TwinRow(id: row.number(0), image: try body.image(named: row.bytes(1)))
    twin.factsFrom = body.factsFrom
    twin.factCount = body.factCount
    twin.factDigest = body.factDigest
    return (twin, sum.value)
  }

  /// The checkpoint row, but for the twins' count and digest, and those; nil when it cannot be what was written.
  static func checkpoint(_ db: GRDB.Database) throws -> (CheckpointRow, twins: TableSum)? {
    let names = [
      "applied_sequence", "recorded_at", "expects_journal", "resumable_from", "twin_count", "twin_digest", "key_count",
      "key_digest", "fact_count", "checksum",
    ]
    let columns = (names + ["jumps"]).joined(separator: ", ")
    guard let row = try Row.fetchOne(db, sql: "SELECT \(columns) FROM checkpoint WHERE id = 1") else { return nil }
    let numbers = names.indices.compactMap { Int64.fromDatabaseValue(row[$0] as DatabaseValue) }
    guard numbers.count == names.count, let jumpBytes = Data.fromDatabaseValue(row[names.count]) else { return nil }
    var sum = RowChecksum(.checkpoint)
    for number in numbers.dropLast() { sum.add(number) }
    jumpBytes.withUnsafeBytes { sum.add($0) }
    guard Int64(sum.value) == numbers[9], numbers[0] >= 0, numbers[3] >= 0, let jumps = CheckpointRow.ranges(jumpBytes),
      let twinDigest = UInt32(exactly: numbers[5]), let keyDigest = UInt32(exactly: numbers[7])
    else { return nil }
    var found = CheckpointRow(
      appliedSequence: UInt64(numbers[0]), recordedAt: numbers[1], expectsJournal: numbers[2] != 0,
      resumableFrom: UInt64(numbers[3]), jumps: jumps)
    found[.idempotency] = TableSum(rowCount: numbers[6], digest: keyDigest)
    found[.facts].rowCount = numbers[8]
    return (found, TableSum(rowCount: numbers[4], digest: twinDigest))
  }
}
