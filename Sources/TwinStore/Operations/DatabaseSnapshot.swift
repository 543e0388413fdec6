// A database opened so that nothing beside it changes: for checks, which may be of evidence.
//
// Without a write-ahead log SQLite is told that the file is immutable: it takes no lock and makes no file. With one that
// would hide what the log holds, and every other way of reading a log makes or changes the `-shm` file beside it. So
// both are copied into the scratch directory, under a name that nobody has. That takes as much room as the database. So is
// a database of an older format, and the copy is migrated.
// SQLite holds the copies open from its first read on, and their names are removed then: a process that is killed later
// leaves nothing, one that is killed while it copies leaves `twind-*.db` there.

import GRDB
import Glibc

final class DatabaseSnapshot {
  /// The file that it shows, for errors.
  let path: String
  let queue: DatabaseQueue

  /// Throws `missing`, `foreign`, `newerFormat` and `olderFormat` for files that are not for this version to read.
  init(
    _ path: String, _ fileSystem: any FileSystem, scratch: String, progress: (CheckProgress) -> Void
  ) throws(StoreError) {
    if try !fileSystem.exists(path) { throw .missing(path: path, because: "it is to be read") }
    self.path = path
    let hasLog = try fileSystem.byteCount(path + "-wal") > 0
    var copy = hasLog ? try Self.copy(path, fileSystem, scratch, progress) : nil
    defer { if let copy { for end in ["", "-wal", "-shm"] { try? fileSystem.unlink(copy + end) } } }
    var opened = try Self.open(copy, or: path, fileSystem)
    let version = try Database.mapped(path, "read") { () throws in try opened.read(Database.version) }
    if version == Database.oldestFormatVersion {
      try? opened.close()
      let older: String
      if let copy { older = copy } else { older = try Self.copy(path, fileSystem, scratch, progress) }
      copy = older
      try Database(path: older, fileSystem: fileSystem, migration: Migration(path: path, journal: nil))
        .close(hasFailed: false)
      opened = try Self.open(older, or: path, fileSystem)
    }
    queue = opened
    try Database.mapped(path, "read") { () throws in try queue.read { try Database.checkFormat(path, $0) } }
  }

  private static func open(_ copy: String?, or path: String, _ fileSystem: any FileSystem) throws(StoreError)
    -> DatabaseQueue
  {
    try Database.mapped(path, "open") { () throws in
      var configuration = Configuration()
      configuration.label = "twind.snapshot"
      configuration.readonly = true
      return try DatabaseQueue(path: location(copy, or: path, fileSystem), configuration: configuration)
    }
  }

  deinit { try? queue.close() }

  private static func copy(
    _ path: String, _ fileSystem: any FileSystem, _ scratch: String, _ progress: (CheckProgress) -> Void
  ) throws(StoreError) -> String {
    let copy = "\(scratch)/twind-\(getpid())-\(UInt64.random(in: 0 ... .max)).db"
    try fileSystem.copy(path, to: copy, isSynced: false) {
      progress(CheckProgress(step: "copying", done: $0, total: $1))
    }
    do throws(StoreError) {
      if try !fileSystem.exists(path + "-wal") { return copy }
      try fileSystem.copy(path + "-wal", to: copy + "-wal", isSynced: false)
    } catch {
      try? fileSystem.unlink(copy)
      throw error
    }
    return copy
  }

  private static func location(_ copy: String?, or path: String, _ fileSystem: any FileSystem) -> String {
    var options = copy == nil ? ["immutable=1"] : []
    if let vfs = fileSystem.sqliteVFS { options.append("vfs=\(vfs)") }
    return "file:" + Database.escaped(copy ?? path) + "?" + options.joined(separator: "&")
  }

  /// Runs `body`, and names the file when it fails.
  func read<R>(_ body: (GRDB.Database) throws -> R) throws(StoreError) -> R {
    try Database.mapped(path, "read") { () throws in try queue.read(body) }
  }
}

extension Database {
  /// A path in a URI.
  static func escaped(_ path: String) -> String {
    path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
  }
}
