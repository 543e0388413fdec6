// From a data directory to a store: lock, scan, replay, begin a run.
//
// Promises: nothing is written before everything was checked. Damage stops the start, with the file, the place and the
// remedy; a file that is missing is damage too. Replay runs only `apply`, as every commit does.

import Glibc
import TwinCore

/// How far a start is.
package enum RecoveryProgress: Sendable {
  /// Twins copied from the older format, of so many. Told first when none have been.
  case migrating(Int, of: Int)
  /// Rows of twins checked, of so many.
  case scanning(Int, of: Int)
  /// Commits replayed from the journal.
  case replaying(Int)
}

/// What a start found.
package struct RecoveryReport: Equatable, Sendable {
  package var twinCount = 0
  /// Commits replayed from the journal.
  package var commitCount = 0
  /// Bytes at the journal's end that were never synced and not whole, and are gone.
  package var bytesCut = 0
  /// Commits whose headers can be read in them.
  package var commitsCut = 0
  /// The stop before was clean.
  package var isClean = true
  /// Sequences passed over, since someone may have seen them; nil after a clean stop.
  package var jump: ClosedRange<UInt64>?
  package var durationMicros: Int64 = 0
  /// The database had this format, and was migrated; nil = it had the present one.
  package var migratedFrom: Int?
}

struct StoreOpening {
  static let progressRows = 10_000

  let directory: String
  let options: Store.Options
  let clock: SteadyClock
  let fileSystem: any FileSystem
  let directoryLock: any FileLock
  let files: OwnFiles
  let database: Database
  let cache: TwinCache
  let keys: IdempotencyTable
  private(set) var sequences = SequenceRange(last: 0, jumps: [], passOver: 0)
  private(set) var liveCount = 0
  private(set) var report = RecoveryReport()
  private var journal: JournalRecovery?
  private let startedAt: UInt64

  init(
    _ directory: String, _ options: Store.Options, _ clock: any Clock, _ fileSystem: any FileSystem,
    _ progress: (RecoveryProgress) -> Void
  ) throws(StoreError) {
    startedAt = clock.monotonicNanos()
    self.clock = SteadyClock(clock)
    try fileSystem.ensureDirectory(directory)
    if !options.allowsSharedDirectory { try fileSystem.checkIsPrivate(directory, uid: geteuid()) }
    guard let lock = try fileSystem.lockedStore(directory) else { throw .inUse(directory: directory) }
    let path = directory + "/twind.db"
    try fileSystem.refuseLinks(["/twind.db", "/twind.db-wal", "/twind.db-shm", "/journal"].map { directory + $0 })
    if try !fileSystem.exists(path) {
      if try !JournalFolder(dataDirectory: directory, fileSystem: fileSystem).numbers().isEmpty {
        throw .missing(path: path, because: "its journal is there")
      }
      if try fileSystem.exists(directory + "/" + RestoreTarget.partialName) {
        throw .missing(path: path, because: "a part of it is there, which a restore has left")
      }
    }
    database = try withoutActuallyEscaping(progress) { (progress) throws(StoreError) in
      let migration = Migration(path: path, journal: (directory, fileSystem)) { progress(.migrating($0, of: $1)) }
      return try Database(path: path, fileSystem: fileSystem, migration: migration)
    }
    try database.loadCheckpointRow()
    files = try OwnFiles([directory + "/lock", path], fileSystem)
    directoryLock = lock
    cache = TwinCache(shardCount: options.shardCount, byteCountMax: options.cacheBytesMax, clock: self.clock)
    keys = IdempotencyTable(
      perAgentMax: options.keysPerAgentMax, bytesMax: options.keyBytesMax,
      room: Int(clamping: database.checkpointRow[.idempotency].rowCount))
    self.directory = directory
    self.options = options
    self.fileSystem = fileSystem
  }

  /// Reads every row of twins and keys once.
  mutating func scan(_ progress: (RecoveryProgress) -> Void) throws(StoreError) {
    let expected = Int(clamping: database.checkpointRow[.twins].rowCount)
    for shard in cache.shards { shard.filter = NameFilter(room: expected / cache.shards.count) }
    var count = 0
    var live = 0
    try database.scanTwins { row in
      cache.shard(of: TwinName(unchecked: row.name)).filter.insert(filterHash(row.name))
      count += 1
      if !row.isDeleted { live += 1 }
      if count % StoreOpening.progressRows == 0 { progress(.scanning(count, of: expected)) }
    }
    liveCount = live
    clock.close(database.checkpointRow.recordedAt)
    try database.loadKeys(into: keys)
  }

  /// Applies what the journal has and the database has not.
  mutating func replay(_ progress: (RecoveryProgress) -> Void) throws(StoreError) {
    let applied = database.checkpointRow.appliedSequence
    let folder = JournalFolder(dataDirectory: directory, fileSystem: fileSystem)
    var replay = Replay(folder: folder, database: database, cache: cache, keys: keys, liveCount: liveCount)
    let journal = try Journal.recover(
      dataDirectory: directory, fileSystem: fileSystem, appliedSequence: applied,
      isExpected: database.checkpointRow.expectsJournal
    ) { (record) throws(StoreError) in
      let before = replay.commitCount
      try replay.take(record)
      if replay.commitCount != before && replay.commitCount % StoreOpening.progressRows == 0 {
        progress(.replaying(replay.commitCount))
      }
    }
    self.journal = journal
    liveCount = replay.liveCount
    clock.close(replay.lastRecordedAt)
    clock.start()
    let last = max(applied, journal.lastSequence)
    sequences = SequenceRange(
      last: last, jumps: SequenceRange.joined(database.checkpointRow.jumps, journal.gaps),
      passOver: journal.isClean ? 0 : Limits.sequenceReserveMax)
    report.migratedFrom = database.migratedFrom
    report.twinCount = liveCount
    report.commitCount = replay.commitCount
    report.bytesCut = journal.bytesCut
    report.commitsCut = journal.commitsCut
    report.isClean = journal.isClean
    report.jump = journal.isClean ? nil : sequences.jumps.last
    report.durationMicros = Int64((clock.monotonicNanos() &- startedAt) / 1_000)
  }

  /// Gives the journal a new segment; from here on a stop is unclean until the journal says otherwise.
  func beginRun(_ random: @escaping @Sendable () -> UInt64) throws(StoreError) -> Journal {
    guard let recovered = journal else { preconditionFailure("a run begins after its replay") }
    let journal = try Journal(
      continuing: recovered, nextSequence: sequences.next, options: options.journal, randomness: random)
    if !database.checkpointRow.expectsJournal { try database.write([]) { $0.expectsJournal = true } }
    return journal
  }
}
