// What the last checkpoint says of the database as a whole: one row, written with every slice.
//
// `appliedSequence` and what goes with it are of the last checkpoint that ran to its end; counts and digests are of
// the rows as they are.

import Foundation
import GRDB

struct CheckpointRow: Equatable, Sendable {
  /// Everything up to this sequence is in the database; the journal goes on from there.
  var appliedSequence: UInt64 = 0
  /// No commit that the database does not have is recorded earlier: the recorded time of the last one, or a later time
  /// that twins were derived for or trimmed by. Microseconds since the epoch.
  var recordedAt: Int64 = 0
  /// Whether a journal belongs to this database. One that was just made or restored has none yet.
  var expectsJournal = false
  /// The oldest sequence that a watch may resume from: older facts are gone.
  var resumableFrom: UInt64 = 0
  /// Sequences that no commit has and none will get, ascending.
  var jumps: [ClosedRange<UInt64>] = []
  var twinCount: Int64 = 0
  var twinDigest: UInt32 = 0
  var keyCount: Int64 = 0
  var keyDigest: UInt32 = 0
  var factCount: Int64 = 0

  static let createTable = """
    CREATE TABLE checkpoint (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      applied_sequence INTEGER NOT NULL,
      recorded_at INTEGER NOT NULL,
      expects_journal INTEGER NOT NULL,
      resumable_from INTEGER NOT NULL,
      jumps BLOB NOT NULL,
      twin_count INTEGER NOT NULL,
      twin_digest INTEGER NOT NULL,
      key_count INTEGER NOT NULL,
      key_digest INTEGER NOT NULL,
      fact_count INTEGER NOT NULL,
      checksum INTEGER NOT NULL
    ) STRICT;
    """

  func write(_ db: GRDB.Database) throws {
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .execute(
        arguments: [
          Int64(appliedSequence), recordedAt, expectsJournal, Int64(resumableFrom), jumpBytes, twinCount,
          Int64(twinDigest), keyCount, Int64(keyDigest), factCount, Int64(checksum),
        ])
  }

  /// Nil when the row is missing or cannot be what was written.
  static func read(_ db: GRDB.Database) throws -> CheckpointRow? {
    let names = [
      "applied_sequence", "recorded_at", "expects_journal", "resumable_from", "twin_count", "twin_digest", "key_count",
      "key_digest", "fact_count", "checksum",
    ]
    // By name here and by place below: GRDB traps on a column that is not there, as a damaged schema may have it.
    let columns = (names + ["jumps"]).joined(separator: ", ")
    guard let row = try Row.fetchOne(db, sql: "SELECT \(columns) FROM checkpoint WHERE id = 1") else { return nil }
    let numbers = names.indices.compactMap { Int64.fromDatabaseValue(row[$0] as DatabaseValue) }
    guard numbers.count == names.count, numbers[0] >= 0, numbers[3] >= 0,
      let jumps = Data.fromDatabaseValue(row[names.count]),
      let twinDigest = UInt32(exactly: numbers[5]), let keyDigest = UInt32(exactly: numbers[7]),
      let ranges = ranges(jumps)
    else { return nil }
    let found = CheckpointRow(
      appliedSequence: UInt64(numbers[0]), recordedAt: numbers[1], expectsJournal: numbers[2] != 0,
      resumableFrom: UInt64(numbers[3]), jumps: ranges, twinCount: numbers[4], twinDigest: twinDigest,
      keyCount: numbers[6], keyDigest: keyDigest, factCount: numbers[8])
    return Int64(found.checksum) == numbers[9] ? found : nil
  }

  private var checksum: UInt32 {
    var sum = RowChecksum(.checkpoint)
    for number in [
      Int64(appliedSequence), recordedAt, expectsJournal ? 1 : 0, Int64(resumableFrom), twinCount, Int64(twinDigest),
      keyCount, Int64(keyDigest), factCount,
    ] { sum.add(number) }
    jumpBytes.withUnsafeBytes { sum.add($0) }
    return sum.value
  }

  /// Pairs of little-endian numbers.
  private var jumpBytes: Data {
    var data = Data()
    for jump in jumps {
      for bound in [jump.lowerBound, jump.upperBound] {
        withUnsafeBytes(of: bound.littleEndian) { data.append(contentsOf: $0) }
      }
    }
    return data
  }

  private static func ranges(_ data: Data) -> [ClosedRange<UInt64>]? {
    guard data.count % 16 == 0 else { return nil }
    return data.withUnsafeBytes { bytes in
      var ranges: [ClosedRange<UInt64>] = []
      for offset in stride(from: 0, to: bytes.count, by: 16) {
        let first = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let last = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
        guard first <= last, first > ranges.last?.upperBound ?? 0 else { return nil }
        ranges.append(first...last)
      }
      return ranges
    }
  }
}
