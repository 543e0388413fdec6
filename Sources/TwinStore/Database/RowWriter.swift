// Writes one row of a table: binds its columns in order, and computes the checksum of what it binds.
//
// SQLite is asked directly: where millions of rows are written, GRDB's arguments cost more than SQLite does.

import GRDB
import GRDBSQLite

struct RowWriter {
  private let table: StoreTable
  private let prepared: Statement
  private let statement: SQLiteStatement
  private var sum: RowChecksum
  private var column: Int32 = 0
  private var code = SQLITE_OK

  /// - Parameter replaces: the row takes the place of the one with the same number or unique value.
  init(_ db: GRDB.Database, _ table: StoreTable, id: Int64, replaces: Bool = false) throws {
    self.table = table
    prepared = try db.cachedStatement(sql: replaces ? table.replace : table.insert)
    statement = prepared.sqliteStatement
    sum = RowChecksum(table.tag)
    add(id)
  }

  mutating func add(_ number: Int64) {
    sum.add(number)
    bind(number)
  }

  /// The bytes must stay until the row is written.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    sum.add(bytes)
    column += 1
    guard code == SQLITE_OK else { return }
    // An empty blob is not NULL.
    code =
      bytes.isEmpty
      ? sqlite3_bind_zeroblob(statement, column, 0)
      : sqlite3_bind_blob(statement, column, bytes.baseAddress, Int32(bytes.count), nil)
  }

  /// Writes the row and returns its checksum.
  mutating func write() throws -> UInt32 {
    precondition(Int(column) == table.columns.count + 1, "a row has all columns of its table")
    bind(Int64(sum.value))
    defer { withExtendedLifetime(prepared) {} }
    let result = code == SQLITE_OK ? sqlite3_step(statement) : code
    let message = result == SQLITE_DONE ? nil : String(cString: sqlite3_errmsg(sqlite3_db_handle(statement)))
    sqlite3_reset(statement)
    sqlite3_clear_bindings(statement)
    if result != SQLITE_DONE { throw DatabaseError(resultCode: ResultCode(rawValue: result), message: message) }
    return sum.value
  }

  private mutating func bind(_ number: Int64) {
    column += 1
    if code == SQLITE_OK { code = sqlite3_bind_int64(statement, column, number) }
  }
}
