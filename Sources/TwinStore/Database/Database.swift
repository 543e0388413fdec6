// The database file: one connection that writes and runs every WAL checkpoint, two opened read-only.
//
// Promises: SQLite in WAL mode with synchronous=FULL and no automatic WAL checkpoint. One connection does both,
// because SQLite 3.7.0 to 3.51.2 can lose commits when one connection checkpoints while another commits. The cold
// reads of twins have a connection of their own, so that a long list does not hold them up.

import GRDB
import Threads
import TwinCore

package final class Database: @unchecked Sendable {
  package let path: String
  package let writer: DatabaseQueue
  /// For lists, histories and watches that resume.
  package let reader: DatabaseQueue
  /// For twins that are not in memory.
  let coldReader: DatabaseQueue
  /// The format that the file had; nil = this one, or the file is new.
  let migratedFrom: Int?
  /// What stands in the database; only who writes touches it.
  var checkpointRow = CheckpointRow()
  var nextTwinID: Int64 = 1
  /// Twins with more facts than this are noted in `grown` when they are written, for retention to look at.
  var grownFactsMin = Int64.max
  var grown: [Int64] = []

  /// Opens the file, makes it when it is missing, migrates it when it is older; refuses one that is newer or not twind's,
  /// untouched.
  init(
    path: String, fileSystem: any FileSystem, migration: Migration? = nil
  ) throws(StoreError) {
    self.path = path
    let location = Database.location(path, fileSystem)
    if try fileSystem.exists(path) {
      try Database.checkFormat(path, at: location, fileSystem)
    } else if try fileSystem.exists(path + "-wal") {
      throw .missing(path: path, because: "its write-ahead log is there")
    }
    (writer, migratedFrom) = try Database.mapped(path, "open") { () throws in
      let queue = try DatabaseQueue(path: location, configuration: Database.writing)
      let migration = migration ?? Migration(path: path, journal: nil)
      return (queue, try queue.write { try Database.prepareTables($0, migration) })
    }
    reader = try Database.openReader(path, at: location, "twind.reader")
    coldReader = try Database.openReader(path, at: location, "twind.cold")
  }

  static func openReader(_ path: String, at location: String, _ label: String) throws(StoreError)
    -> DatabaseQueue
  {
    try mapped(path, "open") { () throws in
      var configuration = Configuration()
      configuration.label = label
      configuration.readonly = true
      return try DatabaseQueue(path: location, configuration: configuration)
    }
  }

  /// What SQLite is to open: a path, or a URI that names the file system.
  static func location(_ path: String, _ fileSystem: any FileSystem) -> String {
    fileSystem.sqliteVFS.map { "file:\(path)?vfs=\($0)" } ?? path
  }

  private static var writing: Configuration {
    var configuration = Configuration()
    configuration.label = "twind.writer"
    // GRDB's own WAL mode would set synchronous=NORMAL. secure_delete: what is dropped is overwritten, on pages that stay in
    // the file, too; not every build of SQLite does so by itself.
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          PRAGMA wal_autocheckpoint = 0;
          PRAGMA cache_size = -16384;
          PRAGMA secure_delete = ON;
          """)
    }
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
      // SQLite quotes a damaged schema as it was written, in lines.
      let message = (error.message ?? "SQLite error \(error.extendedResultCode)").replacing("\n", with: " ")
      throw .database(path: path, operation: operation, code: error.extendedResultCode.rawValue, message: message)
    } catch {
      throw .database(path: path, operation: operation, code: 1, message: "\(error)")
    }
  }

  func corrupt(_ table: String, _ row: String, _ reason: String) -> StoreError {
    .corrupt(path: path, table: table, row: row, reason: reason)
  }

  func damagedTwin(_ row: Int64, _ name: String?, _ reason: String) -> StoreError {
    .damagedTwin(path: path, row: row, name: name, reason: reason)
  }

  /// Closing the last connection moves the write-ahead log into the file, and syncs both. After a failure nothing may be
  /// synced any more: then the writer goes first, and the last one may not write.
  func close(hasFailed: Bool) throws(StoreError) {
    try Database.mapped(path, "close") { () throws in
      if hasFailed { try writer.close() }
      try reader.close()
      try coldReader.close()
      try writer.close()
    }
  }
}
