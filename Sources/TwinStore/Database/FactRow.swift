// One row of the table of facts.

import Foundation
import GRDB
import TwinCore

struct FactRow {
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
    var row = try RowWriter(db, .facts, id: id)
    row.add(twin)
    row.add((isCurrent ? 0 : notCurrent) | (isCreation ? creation : 0))
    row.add(record)
    return try row.write()
  }

  /// A row with all columns of the table. Throws a reason when it cannot be what was written.
  init(_ row: Row) throws {
    let (id, checksum) = try StoreTable.facts.checked(row)
    guard id > 0, let twin = Int64.fromDatabaseValue(row[1]), let flags = Int64.fromDatabaseValue(row[2]) else {
      throw RowFault("its number is \(id)")
    }
    self.twin = twin
    fact = StoredFact(
      sequence: UInt64(id) / UInt64(Limits.factsPerSequenceMax),
      ordinal: UInt32(id % Int64(Limits.factsPerSequenceMax)), message: try bytes(row, 3) { [UInt8]($0) })
    isCurrent = flags & FactRow.notCurrent == 0
    isCreation = flags & FactRow.creation != 0
    self.checksum = checksum
  }
}
