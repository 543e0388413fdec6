// The database file: one connection that writes and runs every WAL checkpoint, one opened read-only for lists.
//
// Promises: SQLite in WAL mode with synchronous=FULL and no automatic WAL checkpoint. One connection does both,
// because SQLite 3.7.0 to 3.51.2 can lose commits when one connection checkpoints while another commits.

import GRDB

package final class Database: Sendable {
  package let path: String
  package let writer: DatabaseQueue
  package let reader: DatabaseQueue

  /// Opens the file, makes it when it is missing; refuses one that is newer or not twind's, untouched.
  init(path: String, fileSystem: any FileSystem) throws(StoreError) {
    self.path = path
    if try fileSystem.exists(path) {
      try Database.checkFormat(path)
    } else if try fileSystem.exists(path + "-wal") {
      throw .missing(path: path, because: "its write-ahead log is there")
    }
    writer = try Database.mapped(path, "open") { () throws in
      let queue = try DatabaseQueue(path: path, configuration: Database.writing)
      try queue.write(Database.createSchema)
      return queue
    }
    reader = try Database.mapped(path, "open") { () throws in
      try DatabaseQueue(path: path, configuration: Database.reading)
    }
  }

  private static var writing: Configuration {
    var configuration = Configuration()
    configuration.label = "twind.writer"
    // GRDB's own WAL mode would set synchronous=NORMAL.
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          PRAGMA wal_autocheckpoint = 0;
          """)
    }
    return configuration
  }

  private static var reading: Configuration {
    var configuration = Configuration()
    configuration.label = "twind.reader"
    configuration.readonly = true
    return configuration
  }

  /// Runs `body` and says what it was for when it fails.
  static func mapped<R>(
    _ path: String, _ operation: String, _ body: () throws -> R
  ) throws(StoreError) -> R {
    do {
      return try body()
    } catch let error as StoreError {
      throw error
    } catch let error as DatabaseError {
      throw .database(
        path: path, operation: operation, message: "\(error.message ?? "SQLite error") (\(error.extendedResultCode))")
    } catch {
      throw .database(path: path, operation: operation, message: "\(error)")
    }
  }

  func corrupt(_ table: String, _ row: String, _ reason: String) -> StoreError {
    .corrupt(path: path, table: table, row: row, reason: reason)
  }

  /// The writer last: closing the last connection moves the write-ahead log into the file.
  func close() throws(StoreError) {
    try Database.mapped(path, "close") { () throws in
      try reader.close()
      try writer.close()
    }
  }
}
