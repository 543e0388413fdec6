// From a backup to a data directory: `twind restore`.
//
// Promises: the backup is verified before anything is made, the copy before it gets its name; a data directory that
// holds anything is not touched, but for what a restore has left there that was killed.

import TwinCore

package struct RestoreReport: Equatable, Sendable {
  /// The store holds everything up to it.
  package var sequence: UInt64
  package var twinRowCount: Int
  package var byteCount: Int
}

package enum StoreRestore {
  /// What the database is called until it is whole.
  static let partialName = "twind.db.partial"

  /// - Parameters:
  ///   - path: of the backup.
  ///   - directory: is made when it is missing, and must be empty else.
  ///   - scratch: is used for nothing as long as the backup is one.
  /// - Throws: `exists` when the directory holds anything, `notABackup`, `unsound`, `foreign`, `newerFormat`,
  ///   `missing`, `io`.
  package static func run(
    backup path: String, directory: String, fileSystem: any FileSystem = PosixFileSystem(), scratch: String,
    progress: (CheckProgress) -> Void = { _ in }
  ) throws(StoreError) -> RestoreReport {
    try withoutActuallyEscaping(progress) { (progress) throws(StoreError) in
      try checkEmpty(directory, fileSystem)
      let report = try check(path, named: path, fileSystem, scratch, progress)
      try fileSystem.ensureDirectory(directory)
      guard let lock = try fileSystem.lockedStore(directory) else { throw .inUse(directory: directory) }
      defer { lock.unlock() }
      try checkEmpty(directory, fileSystem)
      let (target, partial) = (directory + "/twind.db", directory + "/" + StoreRestore.partialName)
      if try fileSystem.exists(partial) {
        try fileSystem.named(partial, "remove") { () throws(Errno) in try fileSystem.unlink(partial) }
      }
      try fileSystem.copy(path, to: partial, isSynced: true) {
        progress(CheckProgress(step: "copying", done: $0, total: $1))
      }
      do throws(StoreError) {
        _ = try check(partial, named: target, fileSystem, scratch, progress)
        try fileSystem.named(target, "rename to") { () throws(Errno) in try fileSystem.rename(partial, to: target) }
      } catch {
        try? fileSystem.unlink(partial)
        throw error
      }
      for made in [directory, FilePath.directory(of: directory)] {
        try fileSystem.named(made, "sync the directory") { () throws(Errno) in try fileSystem.syncDirectory(made) }
      }
      return RestoreReport(
        sequence: report.sequence, twinRowCount: report.checked[.twins] ?? 0,
        byteCount: try fileSystem.byteCount(target))
    }
  }

  /// A lock and a part of the copy are what an attempt before this one left.
  private static func checkEmpty(_ directory: String, _ fileSystem: any FileSystem) throws(StoreError) {
    guard try fileSystem.exists(directory) else { return }
    let names = try fileSystem.named(directory, "list") { () throws(Errno) in try fileSystem.list(directory) }
    if let first = names.first(where: { $0 != "lock" && $0 != partialName }) {
      throw .exists(path: "\(directory)/\(first)")
    }
  }

  private static func check(
    _ path: String, named name: String, _ fileSystem: any FileSystem, _ scratch: String,
    _ progress: @escaping (CheckProgress) -> Void
  ) throws(StoreError) -> CheckReport {
    if try fileSystem.byteCount(path + "-wal") > 0 {
      throw .notABackup(path: name, because: "there is a write-ahead log beside it")
    }
    let database = try DatabaseSnapshot(path, fileSystem, scratch: scratch, progress: progress)
    let check = try DatabaseCheck(database, progress: progress)
    let report = try check.report.sound(name)
    if check.row?.expectsJournal == true { throw .notABackup(path: name, because: "it belongs to a journal") }
    return report
  }
}
