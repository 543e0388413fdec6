// Giving up the end of a journal, looked at before it is done: `twind recover`.
//
// Promises: holds the directory's lock from the look to the deed, so that what was shown is what is dropped.

import TwinCore

package final class DropPlan {
  /// Everything after it is to go.
  package let sequence: UInt64
  /// The database holds everything up to it.
  package let appliedSequence: UInt64
  /// The last sequence that stays.
  package private(set) var keptThrough: UInt64
  /// Commits behind the database's that stay.
  package private(set) var keptCount = 0
  /// Commits that can be read and go: how many, the first and the last.
  package private(set) var droppedCount = 0
  package private(set) var dropped: ClosedRange<UInt64>?
  /// Where the journal is damaged first; all that follows goes too.
  package private(set) var damage: String?
  /// There is no journal: nothing is dropped but the wait for it.
  package private(set) var isJournalMissing = false
  /// Something of what goes was synced to disk.
  package private(set) var hasSynced = false
  /// Where what goes begins.
  private var start: (segment: UInt64, offset: Int)?

  private let directory: String
  private let fileSystem: any FileSystem
  private let scratch: String
  private let lock: any FileLock

  /// - Throws: `inUse`, `missing` when there is no database, `undroppable` when the database holds more,
  ///   `corrupt` when the database does not say how much it holds, `newerFormat`, `io`.
  package init(
    after sequence: UInt64, directory: String, fileSystem: any FileSystem = PosixFileSystem(), scratch: String
  ) throws(StoreError) {
    lock = try StoreCheck.locked(directory, fileSystem)
    self.sequence = sequence
    self.directory = directory
    self.fileSystem = fileSystem
    self.scratch = scratch
    let path = directory + "/twind.db"
    let database = try DatabaseSnapshot(path, fileSystem, scratch: scratch) { _ in }
    guard let row = try database.read({ try CheckpointRow.read($0) }) else {
      throw .corrupt(
        path: path, table: "checkpoint", row: "1", reason: "it is missing or its checksum does not fit")
    }
    appliedSequence = row.appliedSequence
    keptThrough = row.appliedSequence
    if sequence < appliedSequence { throw .undroppable(sequence: sequence, applied: appliedSequence) }
    try look(JournalFolder(dataDirectory: directory, fileSystem: fileSystem), isExpected: row.expectsJournal)
  }

  deinit { lock.unlock() }

  /// Whether there is anything to do.
  package var isNeeded: Bool { droppedCount > 0 || damage != nil || isJournalMissing }

  private func look(_ folder: JournalFolder, isExpected: Bool) throws(StoreError) {
    var last: SegmentInfo?
    let isThere = try folder.walk(
      applied: appliedSequence,
      { (record) throws(StoreError) in
        note(record.sequence)
        if droppedCount > 0 && start == nil { start = (record.segment, record.offset) }
      },
      onFault: { (fault) throws(StoreError) in note(fault, folder) },
      onSegment: { (_, scan, info) throws(StoreError) in
        last = info
        // A segment is synced whole before the next one begins.
        guard let start else { return }
        if info.number > start.segment || scan.syncedThrough > start.offset { hasSynced = true }
      })
    isJournalMissing = !isThere && isExpected
    if damage == nil, let last, let fault = folder.fault(ending: last, applied: appliedSequence) { note(fault, folder) }
  }

  private func note(_ record: UInt64) {
    if record <= sequence && damage == nil {
      keptThrough = max(keptThrough, record)
      if record > appliedSequence { keptCount += 1 }
    } else if record > appliedSequence {
      droppedCount += 1
      dropped = min(dropped?.lowerBound ?? record, record)...max(dropped?.upperBound ?? record, record)
    }
  }

  private func note(_ fault: JournalFault, _ folder: JournalFolder) {
    if damage == nil { damage = "\(folder.path(of: fault.segment)), byte \(fault.offset): \(fault.reason)" }
    // What was never synced is no damage.
    hasSynced = true
  }

  /// Drops it. Nothing is destroyed: the report names the files that hold it.
  package func run(
    options: JournalOptions = JournalOptions(), randomness: () -> UInt64 = { .random(in: 0 ... .max) }
  ) throws(StoreError) -> JournalDropReport {
    if isJournalMissing {
      try beginAnew()
      return JournalDropReport(lastSequence: appliedSequence)
    }
    return try Journal.drop(
      after: sequence, dataDirectory: directory, fileSystem: fileSystem, appliedSequence: appliedSequence,
      options: options, randomness: randomness)
  }

  /// Has the database wait for no journal. Sequences that are lost with it are not issued again, as after a restore.
  private func beginAnew() throws(StoreError) {
    let database = try Database(path: directory + "/twind.db", fileSystem: fileSystem)
    try database.loadCheckpointRow()
    do throws(StoreError) {
      try database.transaction { try $1.detach() }
      _ = try database.checkpointLog()
    } catch {
      try? database.close(hasFailed: true)
      throw error
    }
    try database.close(hasFailed: false)
  }

  /// Checks the whole directory as it is now.
  package func check(progress: (CheckProgress) -> Void = { _ in }) throws(StoreError) -> CheckReport {
    try StoreCheck.runLocked(directory: directory, fileSystem: fileSystem, scratch: scratch, progress: progress)
  }
}
