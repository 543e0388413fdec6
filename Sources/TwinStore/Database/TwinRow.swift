// One row of the table of twins: an image, and what the database knows of its facts.

import Foundation
import GRDB
import TwinCore

struct TwinRow {
  let id: Int64
  let image: TwinImage
  /// From when on all facts are kept, microseconds since the epoch; Int64.min = all there ever were.
  var factsFrom = Int64.min
  var factCount: Int64 = 0
  /// XOR of the checksums of its facts.
  var factDigest: UInt32 = 0

  static let columns =
    "id, name, revision, recorded_at, last_agent, deleted, attributes, pending, facts_from, fact_count, fact_digest, checksum"

  var checksum: UInt32 {
    withPending { pending in
      TwinRow.checksum(
        numbers: [
          id, Int64(image.revision), image.recordedAt, image.isDeleted ? 1 : 0, factsFrom, factCount, Int64(factDigest),
        ],
        bytes: [image.name.bytes, image.agent.bytes, image.records, pending])
    }
  }

  /// The pending records, with what stands in front of them.
  private func withPending<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    let forgotten = image.forgottenRecord
    if forgotten.isEmpty { return try body(image.pendingRecords) }
    return try (forgotten + image.pendingRecords).withUnsafeBytes(body)
  }

  static func checksum(numbers: [Int64], bytes: [UnsafeRawBufferPointer]) -> UInt32 {
    var sum = RowChecksum(.twins)
    for number in numbers { sum.add(number) }
    for part in bytes { sum.add(part) }
    return sum.value
  }

  /// Puts the row in the place of the one with the same number, or name.
  func write(_ db: GRDB.Database) throws {
    var row = SQLiteBinding(
      try db.cachedStatement(sql: "INSERT OR REPLACE INTO twins VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"))
    row.bind(id)
    row.bind(image.name.bytes)
    row.bind(Int64(image.revision))
    row.bind(image.recordedAt)
    row.bind(image.agent.bytes)
    row.bind(image.isDeleted ? 1 : 0)
    row.bind(image.records)
    try withPending { pending in
      row.bind(pending)
      row.bind(factsFrom)
      row.bind(factCount)
      row.bind(Int64(factDigest))
      row.bind(Int64(checksum))
      try row.run()
    }
  }

  /// A row of `columns`; throws a reason when it cannot be what was written.
  init(_ row: Row) throws {
    func number(_ column: Int) throws -> Int64 {
      guard let value = Int64.fromDatabaseValue(row[column]) else { throw RowFault("column \(column) is no number") }
      return value
    }
    let numbers = [
      try number(0), try number(2), try number(3), try number(5), try number(8), try number(9), try number(10),
    ]
    let stored = try number(11)
    image = try bytes(row, 1) { name in
      try bytes(row, 4) { agent in
        try bytes(row, 6) { records in
          try bytes(row, 7) { pending in
            guard Int64(TwinRow.checksum(numbers: numbers, bytes: [name, agent, records, pending])) == stored else {
              throw RowFault("its checksum does not fit what stands in it")
            }
            return try TwinRow.image(numbers, name, agent, records, pending)
          }
        }
      }
    }
    id = numbers[0]
    factsFrom = numbers[4]
    factCount = numbers[5]
    guard let digest = UInt32(exactly: numbers[6]) else { throw RowFault("fact_digest has more than 32 bits") }
    factDigest = digest
  }

  init(id: Int64, image: TwinImage) {
    self.id = id
    self.image = image
  }

  private static func image(
    _ numbers: [Int64], _ name: UnsafeRawBufferPointer, _ agent: UnsafeRawBufferPointer,
    _ records: UnsafeRawBufferPointer, _ pending: UnsafeRawBufferPointer
  ) throws -> TwinImage {
    guard numbers[1] > 0, let revision = UInt64(exactly: numbers[1]), revision <= Limits.sequenceMax else {
      throw RowFault("its revision is \(numbers[1])")
    }
    do {
      let (forgottenThrough, pending) = TwinImage.forgotten(in: pending)
      let image = try TwinImage.decode(
        name: try TwinName(name), agent: agent, revision: revision, recordedAt: numbers[2], isDeleted: numbers[3] != 0,
        records: records, pending: pending)
      image.markForgotten(through: forgottenThrough)
      return image
    } catch let fault as RecordFault {
      throw RowFault("at byte \(fault.offset) of its attributes: \(fault.reason)")
    } catch let error as TwinError {
      throw RowFault(error.message)
    }
  }
}

/// Why a row cannot be what was written.
struct RowFault: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

/// Lends a blob; an empty one when it is missing.
func bytes<R>(_ row: Row, _ column: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
  try row.withUnsafeData(atIndex: column) { data in try (data ?? Data()).withUnsafeBytes(body) }
}
