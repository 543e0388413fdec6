// SQLite asked directly, where millions of rows are read or written: GRDB's rows and arguments cost more than SQLite does.

import GRDB
import GRDBSQLite

/// The columns of the row that a statement is at.
struct SQLiteRow {
  private let statement: SQLiteStatement

  init(_ statement: SQLiteStatement) { self.statement = statement }

  /// 0 when it is no number.
  func number(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

  /// Good until the statement moves on.
  func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
    let start = sqlite3_column_blob(statement, column)
    return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, column)))
  }
}

/// Runs a prepared statement once for a row, its parameters bound in order.
struct SQLiteBinding {
  private let prepared: Statement
  private let statement: SQLiteStatement
  private var column: Int32 = 0
  private var code = SQLITE_OK

  init(_ prepared: Statement) {
    self.prepared = prepared
    statement = prepared.sqliteStatement
  }

  mutating func bind(_ number: Int64) {
    column += 1
    if code == SQLITE_OK { code = sqlite3_bind_int64(statement, column, number) }
  }

  /// The bytes must stay until `run` returns.
  mutating func bind(_ bytes: UnsafeRawBufferPointer) {
    column += 1
    guard code == SQLITE_OK else { return }
    // An empty blob is not NULL.
    code =
      bytes.isEmpty
      ? sqlite3_bind_zeroblob(statement, column, 0)
      : sqlite3_bind_blob(statement, column, bytes.baseAddress, Int32(bytes.count), nil)
  }

  func run() throws {
    defer { withExtendedLifetime(prepared) {} }
    let result = code == SQLITE_OK ? sqlite3_step(statement) : code
    let message = result == SQLITE_DONE ? nil : String(cString: sqlite3_errmsg(sqlite3_db_handle(statement)))
    sqlite3_reset(statement)
    sqlite3_clear_bindings(statement)
    if result != SQLITE_DONE { throw DatabaseError(resultCode: ResultCode(rawValue: result), message: message) }
  }
}
