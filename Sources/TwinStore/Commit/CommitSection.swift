// Where commits happen, one at a time: decide → sequence → apply → feed → publish.
//
// Promises: inside its lock there is no system call but the clock's, and no waiting for readers longer than they
// copy. The head is published after the twins are; what a caller was told is visible to everyone. Checkpoints are
// captured under the same lock, hence at one sequence.

import Threads
import Synchronization
import TwinCore

final class CommitSection: @unchecked Sendable {
  private let lock = Lock()
  private let cache: TwinCache
  private let feed: Feed
  private let clock: any Clock
  private let keys: IdempotencyTable
  private var sequences: SequenceRange
  private var lastRecordedAt: Int64
  private var isClosed = false

  /// The sequence of the last commit.
  let head: Atomic<UInt64>
  /// Set when half of the sequences in reserve are used up.
  let wantsCheckpoint = Atomic<Bool>(false)

  init(
    cache: TwinCache, feed: Feed, clock: any Clock, keys: IdempotencyTable, sequences: SequenceRange,
    lastRecordedAt: Int64
  ) {
    self.cache = cache
    self.feed = feed
    self.clock = clock
    self.keys = keys
    self.sequences = sequences
    self.lastRecordedAt = lastRecordedAt
    head = Atomic(sequences.last)
  }

  func commit(_ command: Command, requestHash: UInt64) throws(TwinError) -> CommitResult {
    let (result, isPublished) = try lock.withLock { () throws(TwinError) in
      try run(command, requestHash)
    }
    if isPublished { feed.ring() }
    return result
  }

  private func run(
    _ command: Command, _ requestHash: UInt64
  ) throws(TwinError) -> (CommitResult, isPublished: Bool) {
    if isClosed { throw TwinError(.unavailable, "the daemon is stopping: try again when it is back") }
    // Recorded time never goes back, whatever the machine's clock does.
    let now = max(clock.wallMicros(), lastRecordedAt)
    let scope = command.scope
    if let scope, let first = try keys.find(scope, requestHash: requestHash, now: now) { return (first, false) }
    let commit = Commit(
      sequence: sequences.next, recordedAt: now, agent: command.agent, purpose: command.purpose)
    let images = command.twins.map { twin in cache.withTwin(twin.name) { $0 } }
    let decision = try decide(command, on: images, as: commit)
    if !decision.facts.isEmpty && sequences.isExhausted { throw CommitSection.exhausted }
    let revisions =
      decision.facts.isEmpty
      ? images.map { $0?.revision ?? 0 } : publish(decision, of: command, on: images, as: commit)
    let result = CommitResult(
      sequence: sequences.last, revisions: revisions, factCount: decision.facts.count)
    if let scope { keys.add(scope, requestHash: requestHash, result: result, now: now) }
    return (result, !decision.facts.isEmpty)
  }

  /// Applies the facts and returns each twin's revision.
  private func publish(
    _ decision: Decision, of command: Command, on images: [TwinImage?], as commit: Commit
  ) -> [UInt64] {
    var next: [TwinImage] = []
    var changes: [TwinImage] = []
    var revisions: [UInt64] = []
    for (index, twin) in command.twins.enumerated() {
      let facts = decision.facts[decision.ranges[index]]
      if facts.isEmpty {
        revisions.append(images[index]?.revision ?? 0)
        continue
      }
      let applied = apply(facts, to: images[index], named: twin.name, as: commit)
      next.append(applied.image)
      changes.append(applied.change)
      revisions.append(commit.sequence)
    }
    cache.put(next)
    sequences.issue()
    lastRecordedAt = commit.recordedAt
    feed.append(CommitRecord(sequence: commit.sequence, changes: changes))
    head.store(commit.sequence, ordering: .releasing)
    if sequences.isLow { wantsCheckpoint.store(true, ordering: .relaxed) }
    return revisions
  }

  private static let exhausted = TwinError(
    .resourceExhausted,
    "no checkpoint has succeeded for \(Limits.sequenceReserveMax) commits: see checkpoint_error in GetStats")
}

// MARK: - Checkpoints

extension CommitSection {
  /// All that the database does not have, as of one sequence.
  struct Capture: Sendable {
    let sequence: UInt64
    let reserve: UInt64
    /// By shard.
    let images: [[TwinImage]]
    let keys: IdempotencyTable.Changes

    var imageCount: Int { images.reduce(0) { $0 + $1.count } }
  }

  /// Begins a checkpoint. Takes as long as there are shards. With `isLast` no commit follows.
  func capture(isLast: Bool) -> Capture {
    lock.withLock {
      if isLast { isClosed = true }
      return Capture(
        sequence: sequences.last, reserve: sequences.nextReserve,
        images: cache.shards.map { shard in shard.lock.withLock { shard.capture() } }, keys: keys.capture())
    }
  }

  /// The capture is in the database.
  func settle(_ capture: Capture) {
    lock.withLock {
      sequences.extend(to: capture.reserve)
      wantsCheckpoint.store(sequences.isLow, ordering: .relaxed)
    }
    for shard in cache.shards { shard.lock.withLock { shard.settle() } }
  }

  /// The capture is not in the database.
  func giveBack(_ capture: Capture) {
    lock.withLock { keys.giveBack(capture.keys) }
    for shard in cache.shards { shard.lock.withLock { shard.giveBack() } }
  }

  var idempotencyKeyCount: Int { lock.withLock { keys.count } }
}

extension Command {
  /// Where its idempotency key counts; nil without one.
  fileprivate var scope: IdempotencyTable.Scope? {
    idempotencyKey.isEmpty
      ? nil
      : IdempotencyTable.Scope(space: twins[0].name.space, agent: agent.bytes, key: idempotencyKey.bytes)
  }
}
