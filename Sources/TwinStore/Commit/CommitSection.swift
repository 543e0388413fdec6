// Where commits happen, one at a time: decide → sequence → journal → apply → feed → publish.
//
// Promises: a commit whose journal write fails is not applied, and none comes after it. Inside the lock there is no
// sync but for the change of a segment, no SQLite, and no waiting for readers longer than they copy. The head is
// published after the twins are; what a caller was told is visible to everyone. As there is one log, a commit is never
// acknowledged before all earlier ones have reached its level. Checkpoints are captured under the same lock, hence
// at one sequence.

import Synchronization
import Threads
import TwinCore

/// What became of a commit that did not wait.
package enum CommitAttempt: Sendable {
  case done(CommitOutcome)
  /// Another thread commits, or the disk is slow.
  case busy
  /// A twin is not in memory.
  case cold
  /// The database may have the idempotency key: it is to be asked. `IdempotencyTable.Lookup` says what the count is
  /// for.
  case unread(moveCount: UInt64)
  /// A twin has forgotten removals that matter: they are to be recalled.
  case forgotten
}

final class CommitSection: @unchecked Sendable {
  /// A write that took longer sends the next ones to a thread that may block.
  private static let slowNanosMin: UInt64 = 1_000_000

  let lock = Lock()
  let cache: TwinCache
  let feed: Feed
  let clock: SteadyClock
  let files: OwnFiles
  let keys: IdempotencyTable
  let waiters: SyncWaiters
  let bell = WorkBell()
  let options: Store.Options
  // All of these under `lock`.
  var journal: Journal
  var sequences: SequenceRange
  var liveCount: Int
  var isClosed = false
  var latched: StoreError?
  /// Why the journal got no new segment when it was tried last; it is tried again.
  var shortage: StoreError?
  /// Why the last checkpoint failed, if it did.
  var checkpointError: StoreError?
  /// The journal's bytes at the last checkpoint.
  var journalBytesAtCheckpoint = 0
  private var lastWriteWasSlow = false
  private var payload: [UInt8] = []

  /// The sequence of the last commit.
  let head: Atomic<UInt64>
  /// Of the last checkpoint that ran to its end.
  let appliedSequence: Atomic<UInt64>
  /// The last write was slow, or memory is short.
  private let isSlow = Atomic<Bool>(false)
  /// Too many idempotency keys are not written.
  let keysAreCrowded = Atomic<Bool>(false)
  /// A sync or the making of a segment has ended.
  let progress: Condition

  init(_ opening: borrowing StoreOpening, feed: Feed, journal: Journal) {
    progress = Condition(lock)
    cache = opening.cache
    self.feed = feed
    clock = opening.clock
    keys = opening.keys
    options = opening.options
    files = opening.files
    self.journal = journal
    sequences = opening.sequences
    liveCount = opening.liveCount
    appliedSequence = Atomic(opening.database.checkpointRow.appliedSequence)
    head = Atomic(opening.sequences.last)
    waiters = SyncWaiters(bell: bell)
  }

  /// Commits at once or not at all.
  func tryCommit(_ command: Command, _ request: RequestHash) throws(TwinError) -> CommitAttempt {
    guard !isSlow.load(ordering: .relaxed), lock.tryLock() else { return .busy }
    return try finish { () throws(TwinError) in
      defer { lock.unlock() }
      return try run(command, request, nil, [:], mayBlock: false)
    }
  }

  /// Commits, waiting for others. `busy`: the journal has no room yet, see `makeRoom`.
  func commit(
    _ command: Command, _ request: RequestHash, _ lookup: IdempotencyTable.Lookup?, _ recollections: [Int: Recollection]
  ) throws(TwinError) -> CommitAttempt {
    let isCrowded = !command.idempotencyKey.isEmpty && keysAreCrowded.load(ordering: .relaxed)
    if isCrowded || cache.unwrittenBytes > cache.byteCountMax / 2 { clock.pause(micros: Limits.throttleMicros) }
    return try finish { () throws(TwinError) in
      try lock.withLock { () throws(TwinError) in try run(command, request, lookup, recollections, mayBlock: true) }
    }
  }

  private func finish(_ body: () throws(TwinError) -> CommitAttempt) throws(TwinError) -> CommitAttempt {
    let attempt = try body()
    if case .done(let outcome) = attempt, outcome.result.factCount > 0 { feed.ring() }
    return attempt
  }

  private func run(
    _ command: Command, _ request: RequestHash, _ lookup: IdempotencyTable.Lookup?,
    _ recollections: [Int: Recollection], mayBlock: Bool
  ) throws(TwinError) -> CommitAttempt {
    if isClosed { throw TwinError(.unavailable, "the daemon is stopping: try again after it has restarted") }
    if let failure { throw CommitSection.refusal(failure) }
    let now = clock.wallMicros()
    let level = Durability(command.durability) ?? options.durability
    let scope = command.scope
    if let scope {
      switch try keys.find(scope, request, now: now, lookup: lookup) {
      case .first(let result): return .done(try settled(result, at: level))
      case .unread: return .unread(moveCount: keys.moveCount)
      case .unused where keys.isCrowded && !mayBlock: return .busy
      case .unused: break
      }
    }
    var images: [TwinImage?] = []
    images.reserveCapacity(command.twins.count)
    for twin in command.twins {
      switch cache.withTwin(twin.name, { found, _ in found }) {
      case .image(let image): images.append(image)
      case .absent: images.append(nil)
      case .cold: return .cold
      }
    }
    guard let recalled = recalled(command, images, recollections) else { return .forgotten }
    let commit = Commit(
      sequence: sequences.next, recordedAt: clock.nextCommitMicros(), agent: command.agent, purpose: command.purpose)
    let decision = try decide(command, on: images, recalling: recalled, as: commit)
    try CommitSection.checkFacts(decision.facts.count)
    let work = CommitWork(command, decision, images, recalling: recalled, commit)
    if work.changes.isEmpty && scope == nil { return .done(try settled(work.unchanged(sequences.last), at: level)) }
    if !work.changes.isEmpty { try checkRoom() }
    let result = work.changes.isEmpty ? work.unchanged(sequences.last) : work.result
    let keyed = scope.map { KeyedResult($0, request, result) }
    guard try append(work, result, keyed, level, mayBlock: mayBlock) else { return .busy }
    clock.close(commit.recordedAt)
    if level > .memory || journal.bufferedBytes > Limits.journalBufferBytesMax { try flush() }
    if !work.changes.isEmpty { publish(work, as: commit) }
    if let scope {
      keys.add(scope, requestHash: request.meaning, result: result, now: commit.recordedAt)
      if keys.isCrowded { keysAreCrowded.store(true, ordering: .relaxed) }
    }
    return .done(try settled(result, at: level))
  }

  /// What the twins have forgotten and this command needs; nil = it is to be looked up, of the twins as they are.
  private func recalled(
    _ command: Command, _ images: [TwinImage?], _ recollections: [Int: Recollection]
  ) -> [Int: TwinImage]? {
    var recalled: [Int: TwinImage] = [:]
    for (index, image) in images.enumerated() {
      guard let image, image.forgottenThrough != .min, !command.twins[index].forgottenNames(of: image).isEmpty else {
        continue
      }
      guard let found = recollections[index], found.revision == image.revision else { return nil }
      recalled[index] = found.removals
    }
    return recalled
  }

  /// What has to be waited for until `result` is as durable as was asked.
  private func settled(_ result: CommitResult, at level: Durability) throws(TwinError) -> CommitOutcome {
    if level > .memory { try flush() }
    let isSynced = level < .synced || journal.syncedBytes >= journal.appendedBytes
    return CommitOutcome(result: result, durability: level, awaitsSync: isSynced ? 0 : journal.appendedBytes)
  }

  // MARK: Journal

  /// Encodes the commit into the journal's buffer. False: a new segment is needed, and that may block.
  private func append(
    _ work: CommitWork, _ result: CommitResult, _ keyed: KeyedResult?, _ level: Durability, mayBlock: Bool
  ) throws(TwinError) -> Bool {
    payload.removeAll(keepingCapacity: true)
    CommitPayload.append(
      recordedAt: work.commit.recordedAt, agent: work.commit.agent.bytes, changes: work.changes, keyed: keyed,
      to: &payload)
    try CommitSection.checkBytes(payload.count, options.journal.recordBytesMax)
    switch journal.room(for: payload.count) {
    case .here: break
    case .afterRotation where mayBlock: try rotate()
    case .full: throw CommitSection.journalFull(journal.byteCount, options.journal.bytesMax, checkpointError)
    case .wait, .afterRotation: return false
    }
    do throws(StoreError) {
      let wasEmpty = journal.bufferedBytes == 0
      try payload.withUnsafeBufferPointer { (bytes) throws(StoreError) in
        try journal.append(sequence: result.sequence, payload: UnsafeRawBufferPointer(bytes))
      }
      // What asks for more than MEMORY is written at once.
      if wasEmpty && level == .memory { bell.ring() }
    } catch {
      throw CommitSection.refusal(error)
    }
    return true
  }

  private func rotate() throws(TwinError) {
    do throws(StoreError) {
      try journal.rotate()
    } catch {
      if error.isTemporary && journal.failure == nil { throw CommitSection.temporary(error) }
      latch(error)
      throw CommitSection.refusal(error)
    }
    noteSynced()
  }

  /// Writes the buffer, and notes how long that took.
  private func flush() throws(TwinError) {
    let start = clock.monotonicNanos()
    do throws(StoreError) {
      try write()
    } catch {
      throw CommitSection.refusal(error)
    }
    lastWriteWasSlow = clock.monotonicNanos() &- start > CommitSection.slowNanosMin
  }

  // MARK: State

  private func checkRoom() throws(TwinError) {
    if sequences.isExhausted(synced: journal.syncedThrough) {
      let maximum = Int(Limits.sequenceReserveMax)
      throw TwinError(
        .resourceExhausted,
        "\(maximum) commits wait to be synced (sequenceReserveMax): the disk is slow, try again later",
        detail: .limit("sequenceReserveMax", maximum: maximum, actual: maximum + 1))
    }
    if cache.unwrittenBytes > cache.byteCountMax / 4 * 3 {
      throw TwinError(.resourceExhausted, checkpointError.map(Self.stuck) ?? Self.crowded)
    }
  }

  private func publish(_ work: CommitWork, as commit: Commit) {
    let after = work.apply()
    cache.put(after, changes: work.changes)
    for (before, after) in zip(work.before, after) {
      liveCount += (after.isDeleted ? 0 : 1) - (before.map { $0.isDeleted ? 0 : 1 } ?? 0)
    }
    sequences.issue()
    feed.append(CommitRecord(sequence: commit.sequence, changes: work.changes))
    if options.durability == .memory { feed.publish(through: commit.sequence) }
    if options.durability == .journaled && journal.lastWritten >= commit.sequence {
      feed.publish(through: commit.sequence)
    }
    head.store(commit.sequence, ordering: .releasing)
    isSlow.store(lastWriteWasSlow || cache.unwrittenBytes > cache.byteCountMax / 2, ordering: .relaxed)
    lastWriteWasSlow = false
  }
}

extension CommitSection {
  static func refusal(_ failure: StoreError) -> TwinError {
    TwinError(
      .unavailable,
      "twind refuses writes until it is restarted: \(failure). The outcome of writes in progress is unknown: repeat "
        + "them with their idempotency keys")
  }

  static func temporary(_ error: StoreError) -> TwinError {
    TwinError(.resourceExhausted, "\(error). Nothing was written; try again later")
  }

  /// What recovery would refuse to read is not written.
  fileprivate static func checkFacts(_ count: Int) throws(TwinError) {
    if count > Limits.changesMax {
      throw .limit(
        .resourceExhausted, "the commit", "changesMax", maximum: Limits.changesMax, actual: count, unit: "facts")
    }
  }

  /// The same, of the commit as it would stand in the journal.
  fileprivate static func checkBytes(_ count: Int, _ recordBytesMax: Int) throws(TwinError) {
    if count > recordBytesMax {
      throw .limit(
        .resourceExhausted, "the commit", "journalRecordBytesMax", maximum: recordBytesMax, actual: count)
    }
  }

  fileprivate static func journalFull(_ bytes: Int, _ bytesMax: Int, _ error: StoreError?) -> TwinError {
    TwinError(
      .resourceExhausted,
      "the journal is full at \(bytes) bytes (journalBytesMax \(bytesMax)) until a checkpoint succeeds: "
        + (error.map { "the last one failed: \($0)" } ?? "try again later"),
      detail: .limit("journalBytesMax", maximum: bytesMax, actual: bytes))
  }

  fileprivate static let crowded =
    "memory is full of changes that wait for the next checkpoint: try again later, or raise --memory-limit"

  fileprivate static func stuck(_ error: StoreError) -> String {
    if error.isDiskFull {
      return "the disk is full, and memory is full of changes that cannot be checkpointed: free space on the disk; "
        + "writes then resume by themselves (\(error))"
    }
    return "memory is full of changes, because the last checkpoint failed: \(error)"
  }
}

extension Command {
  /// Where its idempotency key counts; nil without one.
  var scope: IdempotencyTable.Scope? {
    idempotencyKey.isEmpty
      ? nil
      : IdempotencyTable.Scope(space: twins[0].name.space, agent: agent.bytes, key: idempotencyKey.bytes)
  }
}

extension KeyedResult {
  fileprivate init(_ scope: IdempotencyTable.Scope, _ request: RequestHash, _ result: CommitResult) {
    self.init(
      scope: scope.bytes, requestHash: request.meaning, sequence: result.sequence, revisions: result.revisions,
      factCount: result.factCount)
  }
}
