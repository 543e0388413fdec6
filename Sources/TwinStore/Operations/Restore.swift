// From a backup to a data directory: `twind restore`.
//
// Promises: the backup is verified before anything is made, the copy before it gets its name; a data directory that
// holds anything is not touched (RestoreTarget).

import TwinCore

package struct RestoreReport: Equatable, Sendable {
  /// The store holds everything up to it.
  package var sequence: UInt64
  package var twinRowCount: Int
  package var byteCount: Int

  init(_ report: CheckReport, _ target: RestoreTarget) throws(StoreError) {
    sequence = report.sequence
    twinRowCount = report.checked[.twins] ?? 0
    byteCount = try target.fileSystem.byteCount(target.path)
  }
}

package enum StoreRestore {
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
      try RestoreTarget.checkEmpty(directory, fileSystem)
      _ = try check(path, named: path, fileSystem, scratch, progress)
      let target = try RestoreTarget(directory, fileSystem)
      let report = try target.complete { () throws(StoreError) in
        try fileSystem.copy(path, to: target.partial, isSynced: true) {
          progress(CheckProgress(step: "copying", done: $0, total: $1))
        }
        return try check(target.partial, named: target.path, fileSystem, scratch, progress)
      }
      return try RestoreReport(report, target)
    }
  }

  /// Checks a database that is to be restored, or was.
  static func check(
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
