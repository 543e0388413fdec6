// The first results of writes that carried an idempotency key, so that a repeated write is answered and not done
// again.
//
// Promises: a key is kept for 24 h, whatever others do: in memory until a checkpoint has written it, then in the
// database, with a filter in memory that tells most new keys from those. What the filter may know is looked up in the
// database by who may block. An agent that has all the keys that it may gets no new one; those that it has stay, and so
// do others'. Memory is bounded: the filter errs more often when it is full, and new keys wait for a checkpoint when
// too many are not written. Not synchronised: the commit section's lock guards it.

import TwinCore

package final class IdempotencyTable {
  /// What no checkpoint has written, what one is writing included.
  private var unwritten: [Scope: Entry] = [:]
  /// Of these, what the next checkpoint takes, oldest first.
  private var added: [Entry] = []
  /// What one took and has not written yet, oldest first.
  private var captured: ArraySlice<Entry> = []
  private var unwrittenBytes = 0
  /// What the database has.
  private var filter: KeyFilter
  private var writtenCount = 0
  /// Rises whenever keys move from memory to the database.
  package private(set) var moveCount: UInt64 = 0
  private var agents: AgentCounts
  private var nextID: Int64 = 1
  private let perAgentMax: Int
  private let unwrittenBytesMax: Int

  /// - Parameters:
  ///   - bytesMax: in memory. Half is the filter's; a quarter, or less, is for what is not written, another for counts.
  ///   - room: so many keys will be loaded.
  package init(perAgentMax: Int, bytesMax: Int, room: Int = 0) {
    self.perAgentMax = perAgentMax
    unwrittenBytesMax = Self.unwrittenBytesMax(of: bytesMax)
    filter = KeyFilter(bytesMax: bytesMax / 2, room: room)
    agents = AgentCounts(bytesMax: bytesMax / 4)
  }

  /// The share of what is not written.
  static func unwrittenBytesMax(of bytesMax: Int) -> Int {
    min(Limits.idempotencyUnwrittenBytesMax, max(bytesMax / 4, unwrittenBytesMin))
  }

  /// So that a few keys of the largest batches fit at any rate.
  private static let unwrittenBytesMin = 64 << 10

  /// In memory and in the database, also those that have expired and are not deleted yet.
  package var count: Int { writtenCount + unwritten.count }

  /// A checkpoint is due.
  var wantsCheckpoint: Bool { unwrittenBytes > unwrittenBytesMax / 4 }

  /// Who adds keys is to slow down until a checkpoint has written some.
  var isCrowded: Bool { unwrittenBytes > unwrittenBytesMax / 2 }

  // MARK: Commits

  /// What is known of this key. INVALID_ARGUMENT when it was used for another request, RESOURCE_EXHAUSTED when it is
  /// new and there is no room for it.
  ///
  /// - Parameter lookup: what the database said about it, when it was asked.
  package func find(
    _ scope: Scope, _ request: RequestHash, now: Int64, lookup: Lookup? = nil
  ) throws(TwinError) -> Answer {
    if let entry = unwritten[scope] {
      if !entry.isExpired(at: now) { return .first(try Self.result(of: entry, request)) }
    } else if filter.mayContain(scope.filterHash) {
      guard let lookup, lookup.moveCount == moveCount else { return .unread }
      if let entry = lookup.entry, !entry.isExpired(at: now) { return .first(try Self.result(of: entry, request)) }
    }
    try checkRoom(for: scope)
    return .unused
  }

  private static func result(of entry: Entry, _ request: RequestHash) throws(TwinError) -> CommitResult {
    if request.matches(entry.requestHash) { return entry.result }
    throw .invalid(
      "the idempotency key \(entry.scope.key.withUnsafeBytes(quoted)) was used for another request: use a new key")
  }

  private func checkRoom(for scope: Scope) throws(TwinError) {
    if agents[scope.place] >= perAgentMax {
      throw TwinError(
        .resourceExhausted,
        "the agent \(scope.agent.withUnsafeBytes(quoted)) has used \(perAgentMax) idempotency keys within 24 h, the "
          + "most that are kept for one agent (idempotencyKeysPerAgentMax): put more changes in one BatchUpdateTwins, "
          + "write without a key, or try again after older keys have expired",
        detail: .limit(
          name: "idempotencyKeysPerAgentMax", maximum: UInt64(perAgentMax), actual: UInt64(agents[scope.place] + 1)))
    }
    if unwrittenBytes >= unwrittenBytesMax {
      throw TwinError(
        .resourceExhausted,
        "\(unwrittenBytes) bytes of idempotency keys wait for a checkpoint, and at most \(unwrittenBytesMax) may "
          + "(idempotencyUnwrittenBytesMax): try again later, or raise --memory-limit; if that does not help, see "
          + "checkpoint_error in GetStats",
        detail: .limit(
          name: "idempotencyUnwrittenBytesMax", maximum: UInt64(unwrittenBytesMax), actual: UInt64(unwrittenBytes + 1)))
    }
  }

  /// The result of a new request; its key was looked for before.
  package func add(_ scope: Scope, requestHash: UInt64, result: CommitResult, now: Int64) {
    let entry = Entry(id: nextID, scope: scope, requestHash: requestHash, recordedAt: now, result: result)
    nextID += 1
    unwritten[scope] = entry
    added.append(entry)
    unwrittenBytes += entry.byteCount
    agents.add(scope.place)
  }

  // MARK: Checkpoints

  /// Hands what is not written to a checkpoint, oldest first. It can still be found here.
  package func capture() -> [Entry] {
    assert(captured.isEmpty)
    captured = added[...]
    added = []
    return Array(captured)
  }

  /// The checkpoint failed: what it has not written is the next one's.
  package func giveBack() {
    added.insert(contentsOf: captured, at: 0)
    captured = []
  }

  /// The first so many of those captured, and not moved yet, are in the database.
  package func move(_ count: Int) {
    moveCount += 1
    writtenCount += count
    for entry in captured.prefix(count) {
      filter.insert(entry.scope.filterHash, recordedAt: entry.recordedAt)
      unwrittenBytes -= entry.byteCount
      if unwritten[entry.scope] === entry { unwritten[entry.scope] = nil }
    }
    captured = captured.dropFirst(count)
  }

  /// Keys of these agents that had expired are no longer in the database.
  func forget(_ places: [AgentCounts.Place]) {
    writtenCount -= places.count
    for place in places { agents.remove(place) }
  }

  // MARK: Start

  /// The last row that was loaded.
  private var lastRow: Entry?

  /// Takes note of a key that the database has, in ascending order of ids.
  func load(_ row: ScannedKey) {
    filter.insert(filterHash(row.scope), recordedAt: row.recordedAt)
    agents.add(AgentCounts.Place(of: row.agent))
    writtenCount += 1
    nextID = max(nextID, row.id + 1)
  }

  /// All rows are loaded, this one last.
  func loaded(_ last: Entry?) { lastRow = last }

  /// Takes a key from the journal, in its order, unless it is in the database already.
  ///
  /// Keys are written in their order, so the database has all up to its last row. Those with an earlier sequence came
  /// before it; of those with the same, which writes that changed nothing have in common with the commit before them,
  /// all up to the one that is the last row.
  ///
  /// - Parameter applied: the last checkpoint's sequence: it wrote all keys with an earlier one.
  func restore(_ keyed: KeyedResult, recordedAt: Int64, applied: UInt64) {
    guard keyed.sequence >= max(applied, lastRow?.result.sequence ?? 0), let scope = Scope(keyed.scope) else { return }
    if let lastRow, lastRow.result.sequence == keyed.sequence, lastRow.recordedAt == recordedAt, lastRow.scope == scope
    {
      for entry in added { agents.remove(entry.scope.place) }
      (unwritten, added, unwrittenBytes) = ([:], [], 0)
      return
    }
    let result = CommitResult(sequence: keyed.sequence, revisions: keyed.revisions, factCount: keyed.factCount)
    add(scope, requestHash: keyed.requestHash, result: result, now: recordedAt)
  }
}
