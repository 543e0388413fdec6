// Reading while the daemon serves: twins that are not in memory, and commits in order. (The facts of one twin are read in
// Database+Facts.swift.)
//
// Promises: a read transaction is short. Nothing here writes.

import Foundation
import GRDB
import TwinCore

extension Database {
  /// A twin that is not in memory; nil when it never existed.
  func twin(_ name: TwinName) throws(StoreError) -> TwinImage? { try twinRow(name, from: coldReader)?.image }

  func twinRow(_ name: TwinName, from queue: DatabaseQueue) throws(StoreError) -> TwinRow? {
    try Database.mapped(path, "read") { () throws in
      try queue.read { db in
        let find = try db.cachedStatement(sql: "SELECT \(StoreTable.twins.columnList) FROM twins WHERE name = ?")
        return try name.bytes.withData { name in try Row.fetchOne(find, arguments: [name]).map(checked) }
      }
    }
  }

  /// Some commits after `sequence` and up to `last`, in order, each whole: at least one when there is one, about `limit`
  /// when they are small.
  func commits(after sequence: UInt64, through last: UInt64, atLeast limit: Int) throws(StoreError) -> [CommitRecord] {
    // A commit has at most this many facts: the last one of a page may be cut, and is read again.
    let count = max(limit, 1) + Limits.factsPerSequenceMax
    let first = FactRow.id(sequence: sequence, ordinal: Limits.factsPerSequenceMax - 1)
    let end = FactRow.id(sequence: last, ordinal: Limits.factsPerSequenceMax - 1)
    var (rows, isEnd) = try facts(from: first, through: end, countMax: count)
    if !isEnd, let cut = rows.last?.fact.sequence { rows.removeAll { $0.fact.sequence == cut } }
    let names = try names(of: Set(rows.map(\.twin)))
    var commits: [CommitRecord] = []
    var start = 0
    while start < rows.count {
      let sequence = rows[start].fact.sequence
      let end = rows[start...].firstIndex { $0.fact.sequence != sequence } ?? rows.count
      commits.append(try commit(rows[start..<end], names))
      start = end
    }
    return commits
  }

  private func commit(
    _ rows: ArraySlice<FactRow>, _ names: [Int64: [UInt8]]
  ) throws(StoreError) -> CommitRecord {
    var changes: [TwinImage] = []
    var start = rows.startIndex
    while start < rows.endIndex {
      let twin = rows[start].twin
      let end = rows[start...].firstIndex { $0.twin != twin } ?? rows.endIndex
      guard let name = names[twin], let change = Database.change(name, rows[start..<end]) else {
        let name = names[twin].map { $0.withUnsafeBytes(quoted) }
        throw damagedTwin(twin, name, "its facts of commit \(rows[start].fact.sequence) cannot be what was written")
      }
      changes.append(change)
      start = end
    }
    return CommitRecord(sequence: rows[rows.startIndex].fact.sequence, changes: changes)
  }

  private static func change(_ name: [UInt8], _ rows: ArraySlice<FactRow>) -> TwinImage? {
    name.withUnsafeBytes { bytes in
      guard let name = try? TwinName(bytes),
        let change = try? TwinImage.change(name, rows.map(\.fact), isCurrent: rows.map(\.isCurrent))
      else { return nil }
      if rows.allSatisfy(\.isCreation) { change.markCreation() }
      return change
    }
  }

  private func names(of twins: Set<Int64>) throws(StoreError) -> [Int64: [UInt8]] {
    try Database.mapped(path, "read") { () throws in
      try reader.read { db in
        let find = try db.cachedStatement(sql: "SELECT name FROM twins WHERE id = ?")
        var names: [Int64: [UInt8]] = [:]
        // In order: what is asked of the disk must not depend on a hash.
        for twin in twins.sorted() { names[twin] = try Data.fetchOne(find, arguments: [twin]).map { [UInt8]($0) } }
        return names
      }
    }
  }

  /// Rows above `first`, as many as are asked for or as fit, and whether there are no more. More than one commit fits:
  /// none is larger than a record of the journal.
  private func facts(
    from first: Int64, through end: Int64, countMax: Int
  ) throws(StoreError) -> (rows: [FactRow], isEnd: Bool) {
    try Database.mapped(path, "read") { () throws in
      try reader.read { db in
        let select = try db.cachedStatement(
          sql: "SELECT \(StoreTable.facts.columnList) FROM facts WHERE id > ? AND id <= ? ORDER BY id LIMIT ?")
        let found = try Row.fetchCursor(select, arguments: [first, end, countMax])
        var rows: [FactRow] = []
        var byteCount = 0
        while byteCount <= Limits.journalRecordBytesMax, let row = try found.next() {
          let fact = try checkedFact(row)
          byteCount += fact.fact.message.count
          rows.append(fact)
        }
        return (rows, rows.count < countMax && byteCount <= Limits.journalRecordBytesMax)
      }
    }
  }
}
