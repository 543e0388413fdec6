// One row of the table of facts.

import Foundation
import GRDB
import TwinCore

struct FactRow {
  static let columns = "id, twin, flags, record, checksum"
  /// The flag of a fact that did not hold at the time of its commit, after it: about the past, or about the future.
  private static let notCurrent: Int64 = 1
  /// The flag of the facts of a commit that made the twin. Version 0.1 neither wrote it nor minds it.
  private static let creation: Int64 = 2

  let fact: StoredFact
  let isCurrent: Bool
  let isCreation: Bool
  let twin: Int64
  let checksum: UInt32

  static func id(sequence: UInt64, ordinal: Int) -> Int64 {
    Int64(sequence) * Int64(Limits.factsPerSequenceMax) + Int64(ordinal)
  }

  /// Inserts a fact and returns its checksum.
  static func insert(
    _ db: GRDB.Database, id: Int64, twin: Int64, isCurrent: Bool, isCreation: Bool, record: UnsafeRawBufferPointer
  ) throws -> UInt32 {
    let flags = (isCurrent ? 0 : notCurrent) | (isCreation ? creation : 0)
    let sum = checksum(id, twin, flags, record)
    var row = SQLiteBinding(try db.cachedStatement(sql: "INSERT INTO facts VALUES (?, ?, ?, ?, ?)"))
    row.bind(id)
    row.bind(twin)
    row.bind(flags)
    row.bind(record)
    row.bind(Int64(sum))
    try row.run()
    return sum
  }

  /// A row of `columns`; throws a reason when it cannot be what was written.
  init(_ row: Row) throws {
    guard let id = Int64.fromDatabaseValue(row[0]), id > 0, let twin = Int64.fromDatabaseValue(row[1]),
      let flags = Int64.fromDatabaseValue(row[2]), let stored = Int64.fromDatabaseValue(row[4])
    else { throw RowFault("a number is missing") }
    let record = try bytes(row, 3) { [UInt8]($0) }
    self.twin = twin
    fact = StoredFact(
      sequence: UInt64(id) / UInt64(Limits.factsPerSequenceMax),
      ordinal: UInt32(id % Int64(Limits.factsPerSequenceMax)), message: record)
    isCurrent = flags & FactRow.notCurrent == 0
    isCreation = flags & FactRow.creation != 0
    checksum = record.withUnsafeBytes { FactRow.checksum(id, twin, flags, $0) }
    if Int64(checksum) != stored { throw RowFault("its checksum does not fit what stands in it") }
  }

  private static func checksum(
    _ id: Int64, _ twin: Int64, _ flags: Int64, _ record: UnsafeRawBufferPointer
  ) -> UInt32 {
    var sum = RowChecksum(.facts)
    sum.add(id)
    sum.add(twin)
    sum.add(flags)
    sum.add(record)
    return sum.value
  }
}
