// The row that a statement is at. SQLite is asked directly: where millions of rows are read, GRDB's rows cost more than
// SQLite does.

import GRDB
import GRDBSQLite

struct SQLiteRow {
  private let statement: SQLiteStatement

  init(_ statement: SQLiteStatement) { self.statement = statement }

  /// 0 when it is not a number.
  func number(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

  /// Good until the statement moves on.
  func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
    let start = sqlite3_column_blob(statement, column)
    return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, column)))
  }

  func isBlob(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_BLOB }
}

extension GRDB.Database {
  /// Hands each row that a statement finds to `body`, until that says false.
  func each(_ sql: String, _ body: (SQLiteRow) throws -> Bool) throws {
    let prepared = try makeStatement(sql: sql)
    defer { withExtendedLifetime(prepared) {} }
    let row = SQLiteRow(prepared.sqliteStatement)
    while true {
      let code = sqlite3_step(prepared.sqliteStatement)
      if code == SQLITE_DONE { return }
      if code != SQLITE_ROW { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
      if try !body(row) { return }
    }
  }
}
