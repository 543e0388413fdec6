// Checks a data directory that no daemon has open: `twind verify`, and what `twind recover` ends with.
//
// Promises: changes no byte of it. Shows all problems of the database; of the journal those before and at the first
// place that cannot be read, and what each segment's header says. Errors that are thrown say that it could not be
// checked; what is damaged stands in the report.

import TwinCore

package enum StoreCheck {
  /// - Parameters:
  ///   - scratch: a directory for a copy of a database that was not closed.
  ///   - progress: may be called often.
  /// - Throws: `inUse` when a daemon has it, `missing` when it holds nothing, `foreign`, `newerFormat`, `olderFormat`,
  ///   `io`.
  package static func run(
    directory: String, fileSystem: any FileSystem = PosixFileSystem(), scratch: String,
    progress: (CheckProgress) -> Void = { _ in }
  ) throws(StoreError) -> CheckReport {
    let lock = try locked(directory, fileSystem)
    defer { lock.unlock() }
    return try runLocked(directory: directory, fileSystem: fileSystem, scratch: scratch, progress: progress)
  }

  /// Locks the directory. Its lock file is not made: nothing is changed that is only looked at.
  static func locked(_ directory: String, _ fileSystem: any FileSystem) throws(StoreError) -> any FileLock {
    guard try fileSystem.exists(directory) else { throw .missing(path: directory, because: "it is to be read") }
    let lock =
      if try fileSystem.exists(directory + "/lock") {
        try fileSystem.lockedStore(directory)
      } else {
        try fileSystem.named(directory, "lock") { () throws(Errno) in try fileSystem.lockDirectory(directory) }
      }
    guard let lock else { throw .inUse(directory: directory) }
    return lock
  }

  static func runLocked(
    directory: String, fileSystem: any FileSystem, scratch: String, progress: (CheckProgress) -> Void
  ) throws(StoreError) -> CheckReport {
    try withoutActuallyEscaping(progress) { (progress) throws(StoreError) in
      let path = directory + "/twind.db"
      let database = try DatabaseSnapshot(path, fileSystem, scratch: scratch, progress: progress)
      let check = try DatabaseCheck(database, progress: progress)
      var report = check.report
      guard let row = check.row else { return report }
      let folder = JournalFolder(dataDirectory: directory, fileSystem: fileSystem)
      let last = try checkJournal(folder, row, &report)
      if check.newestRevision > last {
        report.add(
          .journal, folder.path, "its end",
          "the database has something of commit \(check.newestRevision), and the journal ends at \(last)")
      }
      // What was given up is gone as of the journal's end, and watches begin there.
      if row.resumableFrom > last {
        report.add(
          .checkpoint, path, "row 1", "watches resume from \(row.resumableFrom), and the last commit is \(last)")
      }
      var replay = ReplayCheck(database, folder, row, progress: progress)
      try replayAll(&replay, folder, row, &report)
      report.sequence = max(last, row.appliedSequence)
      return report
    }
  }

  /// Returns the last sequence that it has, or the database.
  private static func checkJournal(
    _ folder: JournalFolder, _ row: CheckpointRow, _ report: inout CheckReport
  ) throws(StoreError) -> UInt64 {
    let check: JournalCheck
    report.count(.journal, 0)
    do throws(StoreError) {
      check = try JournalCheck(
        dataDirectory: folder.dataDirectory, fileSystem: folder.fileSystem, appliedSequence: row.appliedSequence,
        isExpected: row.expectsJournal)
    } catch {
      guard case .missingJournal(let path, let applied) = error else { throw error }
      report.add(
        .journal, path, "the directory", "it is missing or empty, but the database belongs to a journal",
        remedy: "put it back, or \(Remedy.backup); to go on without the commits after sequence \(applied) run "
          + "`twind recover --data-dir \(folder.dataDirectory) --drop-after \(applied)`")
      return row.appliedSequence
    }
    report.count(.journal, check.recordCount)
    for segment in check.segments {
      for problem in segment.problems {
        report.add(.journal, segment.path, "byte \(problem.offset)", problem.reason, remedy: problem.remedy)
      }
    }
    return max(row.appliedSequence, check.segments.last?.info.lastSequence ?? 0)
  }

  private static func replayAll(
    _ replay: inout ReplayCheck, _ folder: JournalFolder, _ row: CheckpointRow, _ report: inout CheckReport
  ) throws(StoreError) {
    report.count(.replay, 0)
    do throws(StoreError) {
      _ = try Journal.recover(
        dataDirectory: folder.dataDirectory, fileSystem: folder.fileSystem, appliedSequence: row.appliedSequence,
        isExpected: false
      ) { (record) throws(StoreError) in
        try replay.take(record, &report)
      }
    } catch {
      // The journal's own check has reported where it cannot be read.
      guard case .damaged = error else { throw error }
    }
  }
}
