// The tables, and which files are ours to open.
//
// twins has a rowid and an index on name: in a WITHOUT ROWID table whole rows would stand in the inner pages of the
// tree, five to a page, and the list of names could not be read from an index alone. A fact's number is its
// commit's sequence × 1,024 + its ordinal: facts are appended in order, and a watch resumes by that number.

import GRDB
import TwinCore

extension Database {
  static let formatVersion = 2
  /// "twnd" in the header of the file.
  static let applicationID = 0x7477_6e64
  /// SQLite's usual size of a page.
  private static let firstPageBytes = 4_096

  static func createSchema(_ db: GRDB.Database) throws {
    if try Int.fetchOne(db, sql: "PRAGMA user_version") == formatVersion { return }
    try db.execute(
      sql: """
        \(CheckpointRow.createTable)

        -- Times in microseconds since the epoch. attributes: the encoded fields `attributes` of a twind.v1.Twin, as they
        -- were at recorded_at; pending: the same, of facts that hold later. facts_from: from when on all facts are kept.
        CREATE TABLE twins (
          id INTEGER PRIMARY KEY,
          name BLOB NOT NULL,
          revision INTEGER NOT NULL,
          recorded_at INTEGER NOT NULL,
          last_agent BLOB NOT NULL,
          deleted INTEGER NOT NULL,
          attributes BLOB NOT NULL,
          pending BLOB NOT NULL,
          facts_from INTEGER NOT NULL,
          fact_count INTEGER NOT NULL,
          fact_digest INTEGER NOT NULL,
          checksum INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX twins_by_name ON twins (name);

        -- id: sequence × 1024 + ordinal. record: a twind.v1.Attribute.
        CREATE TABLE facts (
          id INTEGER PRIMARY KEY,
          twin INTEGER NOT NULL,
          flags INTEGER NOT NULL,
          record BLOB NOT NULL,
          checksum INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX facts_by_twin ON facts (twin);

        -- In the order of the writes. scope: space, agent and key, each ended by NUL. request_hash: of what the request
        -- means, or of its bytes when version 0.1 wrote it. result: a twind.store.v1.WriteResult.
        CREATE TABLE idempotency (
          id INTEGER PRIMARY KEY,
          scope BLOB NOT NULL,
          request_hash INTEGER NOT NULL,
          recorded_at INTEGER NOT NULL,
          result BLOB NOT NULL,
          checksum INTEGER NOT NULL
        ) STRICT;
        \(createKeyIndex)

        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(formatVersion);
        """)
    try CheckpointRow().write(db)
  }

  /// Version 0.1 had no such index; it can go on with it. Not unique: a key that has expired may be used anew.
  static let createKeyIndex = "CREATE INDEX IF NOT EXISTS idempotency_by_scope ON idempotency (scope);"

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
    let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
    // A start that died before its first transaction leaves a file without tables.
    if application == 0 && version == 0 && tables == 0 { return }
    if application != applicationID { throw StoreError.foreign(path: path) }
    if version > formatVersion {
      throw StoreError.newerFormat(path: path, version: version, supported: formatVersion)
    }
    if version < formatVersion {
      throw StoreError.olderFormat(path: path, version: version, supported: formatVersion)
    }
  }

  private static var probing: Configuration {
    var configuration = Configuration()
    configuration.label = "twind.probe"
    configuration.readonly = true
    return configuration
  }
}
