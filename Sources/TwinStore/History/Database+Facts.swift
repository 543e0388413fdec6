// The facts of one twin in the database, page by page, each with what the twin's row says of all of them.
//
// Promises: a page and the row are of one moment, and a read transaction takes one page. The row is checked whole when it
// is read first and whenever it has changed; every fact is checked against its own checksum.

import Foundation
import GRDB
import TwinCore

/// What the row of a twin says of its facts.
struct FactsHead: Equatable, Sendable {
  /// The twin's number.
  let twin: Int64
  /// Of the last commit whose facts are there.
  let revision: UInt64
  /// From when on they are all there, microseconds since the epoch; Int64.min = all there ever were.
  let from: Int64
  let count: Int64
  /// XOR of their checksums.
  let digest: UInt32

  init(_ row: TwinRow) {
    twin = row.id
    revision = row.image.revision
    from = row.factsFrom
    count = row.factCount
    digest = row.factDigest
  }

  /// Whether the row of a twin, its number and its body, says the same.
  fileprivate func isSame(as row: Row) throws -> Bool {
    guard Int64.fromDatabaseValue(row[0] as DatabaseValue) == twin else { return false }
    return try bytes(row, 1) { bytes in
      guard let body = TwinBody(bytes) else { return false }
      return (body.revision, body.factsFrom, body.factCount, body.factDigest) == (revision, from, count, digest)
    }
  }
}

/// Some facts of a twin.
struct FactsPage {
  let head: FactsHead
  /// In the order of their recording.
  let rows: [FactRow]
  /// There are no more.
  let isEnd: Bool
}

extension Database {
  /// The facts of a twin whose numbers are above `after`; nil when the database has no such twin.
  ///
  /// - Parameter known: what the row said when it was read last.
  func page(
    of name: TwinName, after: Int64, known: FactsHead?, limits: HistoryLimits
  ) throws(StoreError) -> FactsPage? {
    try Database.mapped(path, "read") { () throws in
      try reader.read { db in
        guard let head = try head(of: name, known, db) else { return nil }
        let (rows, isEnd) = try rows(of: head.twin, after: after, limits, db)
        return FactsPage(head: head, rows: rows, isEnd: isEnd)
      }
    }
  }

  private func head(of name: TwinName, _ known: FactsHead?, _ db: GRDB.Database) throws -> FactsHead? {
    try name.bytes.withData { name in
      if let known {
        let look = try db.cachedStatement(sql: "SELECT id, body FROM twins WHERE name = ?")
        if let row = try Row.fetchOne(look, arguments: [name]), try known.isSame(as: row) { return known }
      }
      let find = try db.cachedStatement(sql: "SELECT \(StoreTable.twins.columnList) FROM twins WHERE name = ?")
      return try Row.fetchOne(find, arguments: [name]).map { FactsHead(try checked($0)) }
    }
  }

  private func rows(
    of twin: Int64, after: Int64, _ limits: HistoryLimits, _ db: GRDB.Database
  ) throws -> (rows: [FactRow], isEnd: Bool) {
    let select = try db.cachedStatement(
      sql: "SELECT \(StoreTable.facts.columnList) FROM facts WHERE twin = ? AND id > ? ORDER BY id LIMIT ?")
    let found = try Row.fetchCursor(select, arguments: [twin, after, limits.factsMax])
    var rows: [FactRow] = []
    var byteCount = 0
    while byteCount < limits.bytesMax, let row = try found.next() {
      let fact = try checkedFact(row)
      byteCount += fact.fact.message.count
      rows.append(fact)
    }
    return (rows, rows.count < limits.factsMax && byteCount < limits.bytesMax)
  }

  func checkedFact(_ row: Row) throws -> FactRow {
    do {
      return try FactRow(row)
    } catch let fault as RowFault {
      throw damagedTwin(
        Int64.fromDatabaseValue(row[1]) ?? 0, nil, "of its facts row \(row[0] as DatabaseValue): \(fault.reason)")
    }
  }
}
