// The store of twins: what TwinService reads, writes and watches.
//
// Promises: reads and commits never touch the disk. `checkpoint` makes everything up to one sequence durable in one
// transaction while commits go on; a crash loses what came after it and nothing else, and leaves whole commits. The
// store owns no thread: a runner calls `checkpoint` when it is time or `wantsCheckpoint` says so.

import CTwindProto
import Synchronization
import TwinCore

package final class Store: Sendable {
  package struct Options: Sendable {
    /// A power of two, at most 64.
    package var shardCount = 64
    package var feedBytesMax = Limits.feedBytesMax

    package init() {}
  }

  package let feed: Feed
  package let directory: String
  @usableFromInline let cache: TwinCache
  let section: CommitSection
  package let database: Database
  let clock: any Clock
  let checkpoints = CheckpointState()
  /// Sequences that no commit has; none is added while the store is open.
  private let jumps: [ClosedRange<UInt64>]
  let directoryLock: any FileLock

  /// Opens the data directory, makes it when it is missing, and reads everything in it.
  package init(
    directory: String, options: Options = Options(), clock: any Clock = SystemClock(),
    fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) {
    try fileSystem.ensureDirectory(directory)
    guard let directoryLock = try fileSystem.locked(directory + "/lock") else {
      throw .inUse(directory: directory)
    }
    let database = try Database(path: directory + "/twind.db", fileSystem: fileSystem)
    let sequences = try database.loadSequences()
    let cache = TwinCache(shardCount: options.shardCount)
    var lastRecordedAt = Int64.min
    try database.loadTwins(upTo: sequences.last) { image in
      lastRecordedAt = max(lastRecordedAt, image.recordedAt)
      cache.load(image)
    }
    let keys = IdempotencyTable()
    try database.loadKeys(into: keys)
    try database.beginRun(sequences)
    self.directory = directory
    self.directoryLock = directoryLock
    self.database = database
    self.cache = cache
    self.clock = clock
    jumps = sequences.jumps
    feed = Feed(after: sequences.last, bytesMax: options.feedBytesMax)
    section = CommitSection(
      cache: cache, feed: feed, clock: clock, keys: keys, sequences: sequences, lastRecordedAt: lastRecordedAt)
  }

  /// The sequence of the last commit.
  package var head: UInt64 { section.head.load(ordering: .acquiring) }
}

// MARK: - Reading

extension Store {
  /// Runs `body` on a twin under its shard's lock: judge, copy, return. `sequence` is what the reply is current up
  /// to. Nil: it never existed; one that was deleted is an image with `isDeleted`.
  @inlinable
  package func withTwin<R, E: Error>(
    _ name: TwinName, _ body: (TwinImage?, _ sequence: UInt64) throws(E) -> R
  ) throws(E) -> R {
    // All up to the head is in the cache; the twin may be newer.
    let head = self.head
    return try cache.withTwin(name) { (image: TwinImage?) throws(E) -> R in
      try body(image, max(head, image?.revision ?? 0))
    }
  }

  /// Runs `body` on each of the twins in the order given, all as they are at the sequence returned.
  package func withTwins<E: Error>(
    _ names: [TwinName], _ body: (_ index: Int, TwinImage?) throws(E) -> Void
  ) throws(E) -> UInt64 {
    var sequence = head
    try cache.withTwins(names) { (index: Int, image: TwinImage?) throws(E) in
      sequence = max(sequence, image?.revision ?? 0)
      try body(index, image)
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
      detail: .resume(oldest: feed.oldest, head: head))
  }

  /// Appends to `result` up to `limit` commits after `sequence`. OUT_OF_RANGE when they are no longer in the feed,
  /// or when no commit ever had that sequence.
  package func commits(
    after sequence: UInt64, limit: Int, into result: inout [CommitRecord]
  ) throws(TwinError) {
    try checkIssued(sequence)
    try feed.read(after: sequence, limit: limit, into: &result)
  }

  private func checkIssued(_ sequence: UInt64) throws(TwinError) {
    if let jump = jumps.first(where: { $0.contains(sequence) }) {
      throw TwinError(
        .outOfRange,
        "sequence \(sequence) was lost or never issued: \(jump.lowerBound) to \(jump.upperBound) were passed over "
          + "after a crash",
        detail: .resume(oldest: feed.oldest, head: head))
    }
  }
}

// MARK: - Writing

extension Store {
  /// Commits a command. `requestHash` (RequestHash) tells its request from others under the same idempotency key.
  package func commit(_ command: Command, requestHash: UInt64) throws(TwinError) -> CommitResult {
    let durability = command.durability
    if durability == TWIND__V1__DURABILITY__DURABILITY_JOURNALED
      || durability == TWIND__V1__DURABILITY__DURABILITY_SYNCED
    {
      let name = durability == TWIND__V1__DURABILITY__DURABILITY_SYNCED ? "SYNCED" : "JOURNALED"
      throw TwinError(
        .failedPrecondition, "durability \(name) needs a journal, which this version does not keep: use MEMORY")
    }
    return try section.commit(command, requestHash: requestHash)
  }

  /// What every acknowledged write has survived.
  package var durability: Twind__V1__Durability { TWIND__V1__DURABILITY__DURABILITY_MEMORY }
}
