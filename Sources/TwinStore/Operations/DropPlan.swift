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

  private let directory: String
  private let fileSystem: any FileSystem
  private let scratch: String
  private let lock: any FileLock

  /// - Throws: `inUse`, `missing` when there is no journal or no database, `undroppable` when the database holds more,
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
    try look(JournalFolder(dataDirectory: directory, fileSystem: fileSystem))
  }

  deinit { lock.unlock() }

  /// Whether there is anything to do.
  package var isNeeded: Bool { droppedCount > 0 || damage != nil }

  private func look(_ folder: JournalFolder) throws(StoreError) {
    var last: SegmentInfo?
    let isThere = try folder.walk(
      applied: appliedSequence,
      { (record) throws(StoreError) in note(record.sequence) },
      onFault: { (fault) throws(StoreError) in note(fault, folder) },
      onSegment: { (_, _, info) throws(StoreError) in last = info })
    if !isThere { throw folder.missing }
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
  }

  /// Drops it. Nothing is destroyed: the report names the files that hold it.
  package func run(
    options: JournalOptions = JournalOptions(), randomness: () -> UInt64 = { .random(in: 0 ... .max) }
  ) throws(StoreError) -> JournalDropReport {
    try Journal.drop(
      after: sequence, dataDirectory: directory, fileSystem: fileSystem, appliedSequence: appliedSequence,
      options: options, randomness: randomness)
  }

  /// Checks the whole directory as it is now.
  package func check(progress: (CheckProgress) -> Void = { _ in }) throws(StoreError) -> CheckReport {
    try StoreCheck.runLocked(directory: directory, fileSystem: fileSystem, scratch: scratch, progress: progress)
  }
}
