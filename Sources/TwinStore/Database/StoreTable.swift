// A table as it is declared. The declaration gives its DDL, its statements, the checksum of its rows, its count and digest
// in the checkpoint row, and the checks of all that (TableScan.swift, Operations/DatabaseCheck.swift, and the tests that
// flip one column after the other).
//
// Every table begins with a number and ends with a checksum: CRC-32C over the table's tag, the number and each column in
// order. SQLite's own integrity check sees neither a flipped byte of a blob nor rows that were lost with a page of the
// write-ahead log. The first shows in the row's checksum, the second in the XOR of all of them.

import GRDB
import GRDBSQLite

package struct StoreTable: Sendable {
  /// What the checksums of its rows begin with, so that a row of one table is none of another.
  package enum Tag: UInt32, Sendable {
    case twins = 0x7477_696e
    case facts = 0x6661_6374
    case idempotency = 0x6b65_7973
    case checkpoint = 0x6368_6563
  }

  package enum Column: Sendable {
    case integer(String)
    case blob(String)

    package var name: String {
      switch self {
      case .integer(let name), .blob(let name): name
      }
    }

    fileprivate var type: String {
      switch self {
      case .integer: "INTEGER"
      case .blob: "BLOB"
      }
    }
  }

  package struct Index: Sendable {
    package let column: String
    let isUnique: Bool
    /// No two rows have the same bytes in the column; a start checks that the index leads to each of them.
    package let isChecked: Bool
  }

  package let tag: Tag
  package let name: String
  /// Between `id` and `checksum`.
  package let columns: [Column]
  package let index: Index?
  /// `id, …, checksum`, in the order in which they are read and written.
  package let columnList: String
  let insert: String
  /// Puts a row in the place of the one with the same number, or with the same value in a unique index.
  let replace: String

  init(_ tag: Tag, _ name: String, _ columns: [Column], index: Index? = nil) {
    self.tag = tag
    self.name = name
    self.columns = columns
    self.index = index
    columnList = (["id"] + columns.map(\.name) + ["checksum"]).joined(separator: ", ")
    let values = "INTO \(name) VALUES (\([String](repeating: "?", count: columns.count + 2).joined(separator: ", ")))"
    insert = "INSERT " + values
    replace = "INSERT OR REPLACE " + values
  }

  package var indexName: String? { index.map { "\(name)_by_\($0.column)" } }

  var createTable: String {
    let lines =
      ["id INTEGER PRIMARY KEY"] + columns.map { "\($0.name) \($0.type) NOT NULL" } + ["checksum INTEGER NOT NULL"]
    return "CREATE TABLE \(name) (\n  \(lines.joined(separator: ",\n  "))\n) STRICT;\n"
  }

  /// Empty when the table has no index.
  var createIndex: String {
    guard let index, let indexName else { return "" }
    return "CREATE \(index.isUnique ? "UNIQUE " : "")INDEX IF NOT EXISTS \(indexName) ON \(name) (\(index.column));\n"
  }

  // MARK: Checksums

  /// What the row's checksum should be. The row has all columns, in order.
  func checksum(of row: SQLiteRow) -> UInt32 {
    var sum = RowChecksum(tag)
    sum.add(row.number(0))
    var place: Int32 = 1
    for column in columns {
      switch column {
      case .integer: sum.add(row.number(place))
      case .blob: sum.add(row.bytes(place))
      }
      place += 1
    }
    return sum.value
  }

  /// Checks a row that has all columns, in order, and returns its number and its checksum.
  func checked(_ row: Row) throws -> (id: Int64, checksum: UInt32) {
    let id = try number(row, 0, "id")
    var sum = RowChecksum(tag)
    sum.add(id)
    for (index, column) in columns.enumerated() {
      switch column {
      case .integer(let name): sum.add(try number(row, index + 1, name))
      case .blob: try bytes(row, index + 1) { sum.add($0) }
      }
    }
    guard Int64(sum.value) == (try number(row, columns.count + 1, "checksum")) else { throw RowFault.checksum }
    return (id, sum.value)
  }

  private func number(_ row: Row, _ index: Int, _ name: String) throws -> Int64 {
    guard let value = Int64.fromDatabaseValue(row[index]) else { throw RowFault("\(name) is not a number") }
    return value
  }
}

/// Why a row cannot be what was written.
struct RowFault: Error {
  static let checksum = RowFault("its checksum does not match its contents")

  let reason: String

  init(_ reason: String) { self.reason = reason }
}
