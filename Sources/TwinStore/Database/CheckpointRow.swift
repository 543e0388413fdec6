// What the last checkpoint says of the database as a whole: one row, written with every slice.
//
// `appliedSequence` and what goes with it are of the last checkpoint that ran to its end; counts and digests are of
// the rows as they are.

import Foundation
import GRDB

package struct CheckpointRow: Equatable, Sendable {
  /// Everything up to this sequence is in the database; the journal goes on from there.
  package var appliedSequence: UInt64 = 0
  /// No commit that the database does not have is recorded earlier: the recorded time of the last one, or a later time
  /// that twins were derived for or trimmed by. Microseconds since the epoch.
  var recordedAt: Int64 = 0
  /// Whether a journal belongs to this database. One that was just made or restored has none yet.
  var expectsJournal = false
  /// The oldest sequence that a watch may resume from: older facts are gone.
  var resumableFrom: UInt64 = 0
  /// Sequences that no commit has and none will get, ascending.
  var jumps: [ClosedRange<UInt64>] = []
  private var sums = [TableSum](repeating: TableSum(), count: StoreTable.counted.count)

  /// How many rows a table has, and their digest.
  package subscript(table: StoreTable.Tag) -> TableSum {
    get { sums[Self.index(of: table)] }
    set { sums[Self.index(of: table)] = newValue }
  }

  private static func index(of table: StoreTable.Tag) -> Int {
    guard let index = StoreTable.counted.firstIndex(where: { $0.tag == table }) else {
      preconditionFailure("the rows of this table are not counted")
    }
    return index
  }

  package func write(_ db: GRDB.Database) throws {
    try jumpBytes.withUnsafeBytes { jumps in
      try tableBytes.withUnsafeBytes { tables in
        var row = try RowWriter(db, .checkpoint, id: 1, replaces: true)
        for number in [Int64(appliedSequence), recordedAt, expectsJournal ? 1 : 0, Int64(resumableFrom)] {
          row.add(number)
        }
        row.add(jumps)
        row.add(tables)
        _ = try row.write()
      }
    }
  }

  /// Nil when the row is missing or cannot be what was written.
  package static func read(_ db: GRDB.Database) throws -> CheckpointRow? {
    // By name here and by place below: GRDB traps on a column that is not there, as a damaged schema may have it.
    let sql = "SELECT \(StoreTable.checkpoint.columnList) FROM checkpoint WHERE id = 1"
    guard let row = try Row.fetchOne(db, sql: sql), (try? StoreTable.checkpoint.checked(row)) != nil else { return nil }
    let numbers = (1...4).compactMap { Int64.fromDatabaseValue(row[$0] as DatabaseValue) }
    guard numbers.count == 4, numbers[0] >= 0, numbers[3] >= 0,
      let jumps = Data.fromDatabaseValue(row[5]).flatMap(ranges),
      let sums = Data.fromDatabaseValue(row[6]).flatMap(sums)
    else { return nil }
    var found = CheckpointRow(
      appliedSequence: UInt64(numbers[0]), recordedAt: numbers[1], expectsJournal: numbers[2] != 0,
      resumableFrom: UInt64(numbers[3]), jumps: jumps)
    found.sums = sums
    return found
  }

  init(
    appliedSequence: UInt64 = 0, recordedAt: Int64 = 0, expectsJournal: Bool = false, resumableFrom: UInt64 = 0,
    jumps: [ClosedRange<UInt64>] = []
  ) {
    self.appliedSequence = appliedSequence
    self.recordedAt = recordedAt
    self.expectsJournal = expectsJournal
    self.resumableFrom = resumableFrom
    self.jumps = jumps
  }
}

// MARK: - Columns that hold more than a number

extension CheckpointRow {
  /// Pairs of little-endian numbers.
  private var jumpBytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: jumps.count * 16)
    bytes.withUnsafeMutableBytes { bytes in
      for (index, jump) in jumps.enumerated() {
        bytes.store(jump.lowerBound, at: index * 16)
        bytes.store(jump.upperBound, at: index * 16 + 8)
      }
    }
    return bytes
  }

  static func ranges(_ data: Data) -> [ClosedRange<UInt64>]? {
    guard data.count % 16 == 0 else { return nil }
    return data.withUnsafeBytes { bytes in
      var ranges: [ClosedRange<UInt64>] = []
      for offset in stride(from: 0, to: bytes.count, by: 16) {
        let first = bytes.number(at: offset, UInt64.self)
        let last = bytes.number(at: offset + 8, UInt64.self)
        guard first <= last, first > ranges.last?.upperBound ?? 0 else { return nil }
        ranges.append(first...last)
      }
      return ranges
    }
  }

  /// Of each table its tag and digest, in 32 bits each, and its number of rows in 64; little-endian.
  private var tableBytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: sums.count * 16)
    bytes.withUnsafeMutableBytes { bytes in
      for (index, table) in StoreTable.counted.enumerated() {
        bytes.store(table.tag.rawValue, at: index * 16)
        bytes.store(sums[index].digest, at: index * 16 + 4)
        bytes.store(sums[index].rowCount, at: index * 16 + 8)
      }
    }
    return bytes
  }

  private static func sums(_ data: Data) -> [TableSum]? {
    guard data.count == StoreTable.counted.count * 16 else { return nil }
    return data.withUnsafeBytes { bytes in
      var sums: [TableSum] = []
      for (index, table) in StoreTable.counted.enumerated() {
        guard bytes.number(at: index * 16, UInt32.self) == table.tag.rawValue else { return nil }
        sums.append(TableSum(rowCount: bytes.number(at: index * 16 + 8), digest: bytes.number(at: index * 16 + 4)))
      }
      return sums
    }
  }
}
