// The format of the file, and which files are ours to open.

import GRDB
import TwinCore

extension Database {
  static let formatVersion = 3
  /// Version 0.1 wrote it; it is migrated (Migration.swift).
  static let oldestFormatVersion = 2
  /// "twnd" in the header of the file.
  static let applicationID = 0x7477_6e64
  /// SQLite's usual size of a page.
  private static let firstPageBytes = 4_096

  /// Makes the tables of a new file, and those of an older format into those of this one. Returns the older format.
  static func prepareTables(_ db: GRDB.Database, _ migration: Migration) throws -> Int? {
    let version = try version(db)
    switch version {
    case formatVersion: return nil
    case 0:
      for table in StoreTable.counted + [.checkpoint] { try db.execute(sql: table.createTable + table.createIndex) }
      try CheckpointRow().write(db)
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
    default: try migration.run(db)
    }
    try db.execute(sql: "PRAGMA user_version = \(formatVersion)")
    return version == 0 ? nil : version
  }

  static func version(_ db: GRDB.Database) throws -> Int { try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 }

  /// Looks at an existing file through a connection that cannot write.
  static func checkFormat(
    _ path: String, at location: String, _ fileSystem: any FileSystem
  ) throws(StoreError) {
    do throws(StoreError) {
      try mapped(path, "read") { () throws in
        let probe = try DatabaseQueue(path: location, configuration: probing)
        defer { try? probe.close() }
        try probe.read { try checkFormat(path, $0) }
      }
    } catch {
      // A transaction is to be undone first. Ours is in need of that only when the very first start died while it went
      // over to a write-ahead log; then the file has one page, where no table has room.
      guard case .database(_, _, ResultCode.SQLITE_READONLY_ROLLBACK.rawValue, _) = error else { throw error }
      let file = try fileSystem.opened(path, .read)
      let size = try fileSystem.named(path, "look at") { () throws(Errno) in try file.size() }
      if size > firstPageBytes { throw .foreign(path: path) }
    }
  }

  static func checkFormat(_ path: String, _ db: GRDB.Database) throws {
    let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let version = try version(db)
    let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
    // A start that died before its first transaction leaves a file without tables.
    if application == 0 && version == 0 && tables == 0 { return }
    if application != applicationID { throw StoreError.foreign(path: path) }
    if version > formatVersion {
      throw StoreError.newerFormat(path: path, version: version, supported: formatVersion)
    }
    if version < oldestFormatVersion {
      throw StoreError.olderFormat(path: path, version: version)
    }
  }

  private static var probing: Configuration {
    var configuration = Configuration()
    configuration.label = "twind.probe"
    configuration.readonly = true
    return configuration
  }
}
