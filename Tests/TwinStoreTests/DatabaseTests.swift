import Foundation
import GRDB
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct DatabaseTests {
  private let place = Workplace()

  private var file: String { place.path + "/twind.db" }

  private func failure(_ open: () throws(StoreError) -> Store) -> StoreError? {
    do throws(StoreError) {
      try open().close()
      return nil
    } catch {
      return error
    }
  }

  private func execute(_ sql: String) throws {
    let queue = try DatabaseQueue(path: file)
    try queue.write { try $0.execute(sql: sql) }
    try queue.close()
  }

  @Test func pragmas() throws {
    let store = try place.open()
    func value(_ pragma: String, _ queue: DatabaseQueue) throws -> String? {
      try queue.inDatabase { try String.fetchOne($0, sql: "PRAGMA \(pragma)") }
    }
    #expect(try value("journal_mode", store.database.writer) == "wal")
    #expect(try value("synchronous", store.database.writer) == "2")
    #expect(try value("wal_autocheckpoint", store.database.writer) == "0")
    #expect(try value("secure_delete", store.database.writer) == "1")
    #expect(try value("application_id", store.database.writer) == "\(0x7477_6e64)")
    #expect(throws: DatabaseError.self) {
      try store.database.reader.inDatabase { try $0.execute(sql: "DELETE FROM twins") }
    }
    try store.close()
    #expect(!FileManager.default.fileExists(atPath: file + "-wal"))
  }

  @Test func theLogIsCopiedIntoTheFile() throws {
    let store = try place.open()
    for index in 0..<50 { try store.update("a/b/\(index)", ["x": .string(String(repeating: "x", count: 5_000))]) }
    _ = try store.checkpoint()
    let size = try #require(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int)
    #expect(size > 250_000)
    try store.close()
  }

  @Test func theDirectoryIsPrivateAndLocked() throws {
    let store = try place.open()
    let mode = try FileManager.default.attributesOfItem(atPath: place.path)[.posixPermissions] as? Int
    #expect(mode == 0o700)
    let start = Date()
    let error = try #require(failure { () throws(StoreError) in try place.open() })
    #expect(Date().timeIntervalSince(start) < 1)
    #expect(error == .inUse(directory: place.path))
    #expect(error.description.contains("in use by another twind"))
    try store.close()
  }

  @Test func theLockGoesWithTheStore() throws {
    try place.open().close()
    try place.open().close()
  }

  @Test func newerAndForeignFilesAreNotTouched() throws {
    try place.open().close()
    try execute("PRAGMA user_version = 4")
    let before = try Data(contentsOf: URL(filePath: file))
    #expect(failure { () throws(StoreError) in try place.open() } == .newerFormat(path: file, version: 4, supported: 3))
    #expect(try Data(contentsOf: URL(filePath: file)) == before)
    try execute("PRAGMA user_version = 3; PRAGMA application_id = 77")
    #expect(failure { () throws(StoreError) in try place.open() } == .foreign(path: file))
    try Data("not a database at all, but long enough to be looked at".utf8).write(to: URL(filePath: file))
    #expect(failure { () throws(StoreError) in try place.open() } != nil)
    #expect(try Data(contentsOf: URL(filePath: file)).count == 54)
  }

  @Test func aLogWithoutItsFileIsNoEmptyStart() throws {
    try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: false)
    try Data([1, 2, 3]).write(to: URL(filePath: file + "-wal"))
    guard case .missing(file, _)? = failure({ () throws(StoreError) in try place.open() }) else {
      Issue.record("started empty")
      return
    }
  }

  @Test func aMissingParentIsNamed() {
    let error = failure { () throws(StoreError) in try Store(directory: place.path + "/no/such") }
    #expect(error?.description.contains("cannot create the directory") == true)
    #expect(error?.description.contains(place.path + "/no/such") == true)
  }

  @Test(arguments: [
    ("UPDATE twins SET body = x'ff' WHERE name = CAST('a/b/1' AS BLOB)", "twins", "a/b/1"),
    ("UPDATE twins SET name = CAST('nonsense' AS BLOB) WHERE name = CAST('a/b/1' AS BLOB)", "twins", "nonsense"),
    (
      "UPDATE twins SET body = CAST('c' || substr(body, 2) AS BLOB) WHERE name = CAST('a/b/1' AS BLOB)", "twins",
      "checksum"
    ),
    ("UPDATE twins SET id = 99 WHERE name = CAST('a/b/1' AS BLOB)", "twins", "checksum"),
    ("DELETE FROM twins WHERE name = CAST('a/b/1' AS BLOB)", "twins", "there are 1 rows, and 2 were written"),
    // An index that leaves a twin out.
    (
      "DROP INDEX twins_by_name; CREATE UNIQUE INDEX twins_by_name ON twins (name) WHERE id <> 1; "
        + "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' WHERE id <> 1', '') "
        + "WHERE name = 'twins_by_name'", "twins", "its index by name does not lead to every row once"
    ),
    ("UPDATE checkpoint SET applied_sequence = 1", "checkpoint", "checksum"),
    ("DELETE FROM checkpoint", "checkpoint", "missing"),
    ("UPDATE idempotency SET result = x'08'", "idempotency", "cannot be what was written"),
    ("DELETE FROM idempotency", "idempotency", "there are 0 rows, and 1 were written"),
    (
      "DROP INDEX idempotency_by_scope; CREATE INDEX idempotency_by_scope ON idempotency (scope) WHERE id <> 1; "
        + "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' WHERE id <> 1', '') "
        + "WHERE name = 'idempotency_by_scope'", "idempotency", "its index by scope does not lead to every row once"
    ),
  ])
  func damageStopsTheStart(_ sql: String, _ table: String, _ words: String) throws {
    let store = try place.open()
    try store.update("a/b/1", ["x": .int(1)], key: "k")
    try store.update("a/b/2", ["x": .int(2)])
    try store.close()
    try execute(sql)
    let error = try #require(failure { () throws(StoreError) in try place.open() })
    switch error {
    case .corrupt(file, table, _, _): break
    case .damagedTwin(file, 1, _, _) where table == "twins", .damagedTwin(file, 99, _, _) where table == "twins": break
    default: Issue.record("\(error)")
    }
    #expect(error.description.contains(words), "\(error)")
    #expect(error.description.contains("Restore"))
  }
}
