// One pass over a table at start.
//
// Promises: every row is what was written, none is missing, and the index leads to every one. What is not so stops the
// start, with its table, its row and what to do. Nothing that is on disk is trapped on.

import GRDB
import GRDBSQLite
import TwinCore

extension Database {
  /// Checks a table, and hands each row to `body`, which says false of one that cannot be what was written.
  ///
  /// A million rows: nothing is decoded. A row whose checksum fits is what was written.
  func scan(_ table: StoreTable, _ body: (SQLiteRow) throws -> Bool) throws(StoreError) {
    var sum = TableSum()
    var names = NameDigest()
    let indexed = table.index.flatMap { $0.isChecked ? table.place(of: $0.column) : nil }
    let checksumPlace = Int32(table.columns.count + 1)
    try each("SELECT \(table.columnList) FROM \(table.name) ORDER BY id") { row in
      let checksum = table.checksum(of: row)
      guard Int64(checksum) == row.number(checksumPlace), try body(row) else { throw self.damaged(table, row) }
      sum.add(checksum)
      if let indexed { names.add(row.number(0), row.bytes(indexed)) }
      return true
    }
    let expected = checkpointRow[table.tag]
    if sum.rowCount != expected.rowCount {
      throw corrupt(table.name, "-", "there are \(sum.rowCount) rows, and \(expected.rowCount) were written")
    }
    if sum != expected { throw corrupt(table.name, "-", "some rows are not those that were written last") }
    if indexed != nil { try checkIndex(of: table, names) }
  }

  /// A row that its index does not lead to is one that never existed: it is looked up, listed and written anew.
  private func checkIndex(of table: StoreTable, _ expected: NameDigest) throws(StoreError) {
    guard let index = table.index, let name = table.indexName else { return }
    var found = NameDigest()
    var last: [UInt8] = []
    var isSorted = true
    try each("SELECT id, \(index.column) FROM \(table.name) INDEXED BY \(name) ORDER BY \(index.column)") { row in
      let key = row.bytes(1)
      // What is not a blob, or not in its place, no search would find.
      let isAfter = last.isEmpty || last.withUnsafeBytes { compareBytes($0, key) < 0 }
      isSorted = isSorted && isAfter && row.isBlob(1)
      found.add(row.number(0), key)
      last.replaceSubrange(last.indices, with: key)
      return true
    }
    if found != expected || !isSorted {
      throw corrupt(table.name, "-", "its index by \(index.column) does not lead to every row once")
    }
  }

  private func damaged(_ table: StoreTable, _ row: SQLiteRow) -> StoreError {
    if table.tag == .twins { return damagedTwin(row.number(0), quoted(row.bytes(1)), RowFault.checksum.reason) }
    return corrupt(table.name, "\(row.number(0))", "it cannot be what was written")
  }

  /// Through the connection that writes.
  private func each(_ sql: String, _ body: (SQLiteRow) throws -> Bool) throws(StoreError) {
    try Database.mapped(path, "read") { () throws in try writer.read { try $0.each(sql, body) } }
  }
}

extension StoreTable {
  fileprivate func place(of column: String) -> Int32? {
    columns.firstIndex { $0.name == column }.map { Int32($0 + 1) }
  }
}
