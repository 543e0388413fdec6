// The store of twins: what TwinService reads, writes and watches.
//
// Promises: a write is acknowledged once it has reached the level of durability asked for, and is found again after
// whatever that level survives. Reads of twins in memory never touch the disk; others say so, and are loaded by who may
// block. The store owns no thread: a runner calls `sync`, `flush` and `checkpoint` (Store+Steps.swift).

import CTwindProto
import Synchronization
import TwinCore

package final class Store: Sendable {
  package struct Options: Sendable {
    /// A power of two, at most 64.
    package var shardCount = 64
    /// Bytes of twins, changes, commits and keys that may be kept in memory.
    package var memoryBytesMax = 1 << 30
    /// What a write gets that asks for nothing else.
    package var durability = Durability.journaled
    /// A checkpoint is due when the journal has grown by this since the last.
    package var checkpointJournalBytes = 64 << 20
    package var slices = SliceLimits()
    package var journal = JournalOptions()
    /// Which facts are kept.
    package var retention = Retention()
    /// A data directory is used that others may write to, or that another user owns.
    package var allowsSharedDirectory = false
    /// Idempotency keys kept for one agent.
    package var keysPerAgentMax = Limits.idempotencyKeysPerAgentMax

    package init() {}

    /// What an operator may set it to.
    package static let memoryBytesMin = 8 << 20

    /// A share of memory for watches.
    var feedBytesMax: Int { min(Limits.feedBytesMax, memoryBytesMax / 8) }
    /// A share for idempotency keys: the filter, and those that are not written.
    var keyBytesMax: Int { memoryBytesMax / 8 }
    var cacheBytesMax: Int { memoryBytesMax - feedBytesMax - keyBytesMax }

    /// Those of its bounds that a caller can meet.
    package var limits: [(name: String, value: UInt64)] {
      [
        ("feedBytesMax", UInt64(feedBytesMax)),
        ("idempotencyKeysPerAgentMax", UInt64(keysPerAgentMax)),
        ("idempotencyUnwrittenBytesMax", UInt64(IdempotencyTable.unwrittenBytesMax(of: keyBytesMax))),
      ]
    }
  }

  package let feed: Feed
  package let directory: String
  package let options: Options
  /// What the start found.
  package let recovery: RecoveryReport
  let cache: TwinCache
  /// See Store+Rules.swift.
  let governance = Governance()
  let section: CommitSection
  package let database: Database
  let clock: SteadyClock
  let fileSystem: any FileSystem
  let checkpoints = CheckpointState()
  let damagedTwins = DamagedTwins()
  /// Where retention looks next; under `checkpoints.running`.
  let retentionSweep = RetentionSweep()
  let coldReadCount = Atomic<UInt64>(0)
  /// The oldest sequence that a watch may resume from.
  let resumableFrom: Atomic<UInt64>
  let factCount: Atomic<Int>
  /// Sequences that no commit has; none is added while the store is open.
  private let jumps: [ClosedRange<UInt64>]
  let directoryLock: any FileLock

  /// Opens the data directory, makes it when it is missing, and brings it up to the last commit in its journal.
  package init(
    directory: String, options: Options = Options(), clock: any Clock = SystemClock(),
    fileSystem: any FileSystem = PosixFileSystem(),
    random: @escaping @Sendable () -> UInt64 = { .random(in: 0 ... .max) },
    progress: (RecoveryProgress) -> Void = { _ in }
  ) throws(StoreError) {
    var opening = try StoreOpening(directory, options, clock, fileSystem, progress)
    try opening.scan(progress)
    try opening.replay(progress)
    let journal = try opening.beginRun(random)
    self.directory = directory
    self.options = options
    self.clock = opening.clock
    self.fileSystem = fileSystem
    directoryLock = opening.directoryLock
    database = opening.database
    cache = opening.cache
    recovery = opening.report
    jumps = opening.sequences.jumps
    resumableFrom = Atomic(opening.database.checkpointRow.resumableFrom)
    factCount = Atomic(Int(clamping: opening.database.checkpointRow[.facts].rowCount))
    feed = Feed(after: opening.sequences.last, bytesMax: options.feedBytesMax)
    section = CommitSection(opening, feed: feed, journal: journal)
  }

  /// The sequence of the last commit.
  package var head: UInt64 { section.head.load(ordering: .acquiring) }
}

// MARK: - Reading

extension Store {
  /// Lends what memory knows of a twin, and what the view shows of it: judge, copy, let go.
  package func lend(_ name: TwinName, in view: Unmanaged<View>) -> LentTwin { cache.lend(name, in: view) }

  /// Somebody will soon ask for a twin of that name, if the bytes are one.
  package func approach(_ name: UnsafeRawBufferPointer) { cache.approach(name) }

  /// Runs `body` on what memory knows of a twin, under its shard's lock: judge, copy, return. `sequence` is what the
  /// reply is current up to.
  package func withTwin<R, E: Error>(
    _ name: TwinName, in view: View, _ body: (Resident, Sight, _ sequence: UInt64) throws(E) -> R
  ) throws(E) -> R {
    // All up to the head is in the cache; the twin may be newer.
    let head = self.head
    return try cache.withTwin(name, in: view) { (found: Resident, sight: Sight) throws(E) -> R in
      if case .image(let image) = found { return try body(found, sight, max(head, image.revision)) }
      return try body(found, sight, head)
    }
  }

  /// Runs `body` on each of the twins in the order given, all as they are at the sequence returned.
  package func withTwins<E: Error>(
    _ names: [TwinName], in view: View, _ body: (_ index: Int, Resident, Sight) throws(E) -> Void
  ) throws(E) -> UInt64 {
    var sequence = head
    try cache.withTwins(names, in: view) { (index: Int, found: Resident, sight: Sight) throws(E) in
      if case .image(let image) = found { sequence = max(sequence, image.revision) }
      try body(index, found, sight)
    }
    return sequence
  }

  /// Whether a read shows this sequence now. OUT_OF_RANGE when none ever will.
  package func isVisible(_ sequence: UInt64) throws(TwinError) -> Bool {
    try checkIssued(sequence)
    return sequence <= head
  }

  /// The error for a read that waited long enough for `sequence`.
  package func notVisible(_ sequence: UInt64) -> TwinError {
    TwinError(
      .outOfRange, "sequence \(sequence) is not visible: the last commit is \(head)",
      detail: .resume(oldest: oldestResumable, head: head))
  }

  func checkIssued(_ sequence: UInt64) throws(TwinError) {
    if let jump = jumps.first(where: { $0.contains(sequence) }) {
      throw TwinError(
        .outOfRange,
        "sequence \(sequence) was lost or never issued: \(jump.lowerBound) to \(jump.upperBound) were skipped after a "
          + "crash or a restore",
        detail: .resume(oldest: oldestResumable, head: head))
    }
  }
}

// MARK: - Writing

extension Store {
  /// What a write gets that asks for nothing else.
  package var durability: Durability { options.durability }

  /// Commits a command without waiting: all but `done` asks for `commit` on a thread that may block.
  /// `request` tells its request from others under the same idempotency key.
  package func tryCommit(_ command: Command, _ request: RequestHash) throws(TwinError) -> CommitAttempt {
    try section.tryCommit(command, request)
  }

  /// Commits a command, waiting for the disk where that is needed, but not for a sync.
  package func commit(_ command: Command, _ request: RequestHash) throws(TwinError) -> CommitOutcome {
    var pinned: PinnedTwins?
    var lookup: IdempotencyTable.Lookup?
    var recollections: [Int: Recollection] = [:]
    defer { withExtendedLifetime(pinned) {} }
    for _ in 0..<Limits.commitTriesMax {
      switch try section.commit(command, request, lookup, recollections) {
      case .done(let outcome): return outcome
      case .busy: try makeRoom()
      case .unread(let moveCount):
        lookup = IdempotencyTable.Lookup(entry: try command.scope.flatMap(storedKey), moveCount: moveCount)
      case .forgotten: recollections = try recall(for: command)
      case .cold:
        let names = command.twins.map(\.name.array)
        let all = try pin(names, bytesMax: cache.byteCountMax / 2)
        guard all.count == names.count else {
          throw TwinError(
            .resourceExhausted,
            "the twins of this commit need more than half of the memory for twins (\(cache.byteCountMax) bytes): split "
              + "the batch, or raise --memory-limit")
        }
        pinned = all
      }
    }
    throw TwinError(
      .resourceExhausted,
      "after \(Limits.commitTriesMax) tries, the journal was still full, or a checkpoint or other writers were in the "
        + "way: try again later")
  }

  /// What the database has under an idempotency key. Blocks for as long as the disk takes.
  private func storedKey(_ scope: IdempotencyTable.Scope) throws(TwinError) -> IdempotencyTable.Entry? {
    do throws(StoreError) {
      return try reading { () throws(StoreError) in try database.key(scope) }
    } catch {
      throw TwinError(
        error.isDataLoss ? .dataLoss : .unavailable,
        "cannot look up the idempotency key; nothing was written: \(error)")
    }
  }

  /// Calls `wake` once when the outcome is as durable as was asked, or with an error when it never will be.
  package func whenDurable(_ outcome: CommitOutcome, _ wake: @escaping @Sendable (TwinError?) -> Void) {
    section.waiters.wait(for: outcome.awaitsSync, wake)
  }

  private func makeRoom() throws(TwinError) {
    do throws(StoreError) {
      try section.makeRoom()
    } catch {
      throw error.isTemporary ? CommitSection.temporary(error) : CommitSection.refusal(error)
    }
  }
}
