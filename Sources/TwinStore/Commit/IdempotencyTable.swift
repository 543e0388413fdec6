// The first results of writes that carried an idempotency key, so that a repeated write is answered and not done
// again.
//
// Promises: kept for 24 h, at most so many for one agent and in all; the oldest go first. Not synchronised: the
// commit section's lock guards it. Remembers what the database has yet to learn.

import DequeModule
import TwinCore

package final class IdempotencyTable {
  /// Space, agent and key, each ended by NUL; none of them can hold one.
  package struct Scope: Hashable, Sendable {
    let bytes: [UInt8]

    package init(space: UnsafeRawBufferPointer, agent: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(space.count + agent.count + key.count + 3)
      for part in [space, agent, key] {
        bytes.append(contentsOf: part)
        bytes.append(0)
      }
      self.bytes = bytes
    }

    /// From the database; nil when these are not three parts.
    init?(_ bytes: [UInt8]) {
      guard bytes.last == 0, bytes.count(where: { $0 == 0 }) == 3 else { return nil }
      self.bytes = bytes
    }

    var agent: ArraySlice<UInt8> {
      let start = bytes.firstIndex(of: 0)! + 1
      return bytes[start..<bytes[start...].firstIndex(of: 0)!]
    }

    var key: ArraySlice<UInt8> { bytes[(agent.endIndex + 1)..<bytes.count - 1] }
  }

  package final class Entry: Sendable {
    /// Numbers entries in the order they were made.
    let id: Int64
    let scope: Scope
    let requestHash: UInt64
    /// Microseconds since the epoch.
    let recordedAt: Int64
    let result: CommitResult

    init(id: Int64, scope: Scope, requestHash: UInt64, recordedAt: Int64, result: CommitResult) {
      self.id = id
      self.scope = scope
      self.requestHash = requestHash
      self.recordedAt = recordedAt
      self.result = result
    }
  }

  /// What the database has yet to learn.
  package struct Changes: Sendable {
    package var added: [Entry] = []
    package var dropped: [Int64] = []
    package var isEmpty: Bool { added.isEmpty && dropped.isEmpty }
  }

  private var entries: [Scope: Entry] = [:]
  private var byAgent: [ArraySlice<UInt8>: Deque<Entry>] = [:]
  /// All, oldest first, among them some that no longer stand.
  private var inOrder: Deque<Entry> = []
  private var nextID: Int64 = 1
  package private(set) var changes = Changes()
  private let perAgentMax: Int
  private let countMax: Int

  package init(
    perAgentMax: Int = Limits.idempotencyKeysPerAgentMax, countMax: Int = Limits.idempotencyKeysMax
  ) {
    self.perAgentMax = perAgentMax
    self.countMax = countMax
  }

  package var count: Int { entries.count }

  /// The first result under this key, nil when there is none. INVALID_ARGUMENT when the request was another.
  package func find(_ scope: Scope, requestHash: UInt64, now: Int64) throws(TwinError) -> CommitResult? {
    guard let entry = entries[scope], now - entry.recordedAt < Limits.idempotencyAgeMicrosMax else { return nil }
    if entry.requestHash != requestHash {
      throw .invalid(
        "the idempotency key \(scope.key.withUnsafeBytes(quoted)) was used for another request: use a new key")
    }
    return entry.result
  }

  package func add(_ scope: Scope, requestHash: UInt64, result: CommitResult, now: Int64) {
    let entry = Entry(id: nextID, scope: scope, requestHash: requestHash, recordedAt: now, result: result)
    // What was under this key is older than a day.
    if let expired = entries[scope] { forget(expired) }
    insert(entry)
    changes.added.append(entry)
    dropOld(agent: scope.agent, now: now)
  }

  /// Takes an entry from the database, in ascending order of ids. False when its key is there already.
  func load(_ entry: Entry) -> Bool {
    if entries[entry.scope] != nil { return false }
    insert(entry)
    return true
  }

  /// Takes an entry from the journal, unless it is from the database already.
  func restore(_ keyed: KeyedResult, recordedAt: Int64) {
    guard let scope = Scope(keyed.scope) else { return }
    if let here = entries[scope], here.recordedAt >= recordedAt { return }
    let result = CommitResult(sequence: keyed.sequence, revisions: keyed.revisions, factCount: keyed.factCount)
    add(scope, requestHash: keyed.requestHash, result: result, now: recordedAt)
  }

  private func insert(_ entry: Entry) {
    entries[entry.scope] = entry
    byAgent[entry.scope.agent, default: []].append(entry)
    inOrder.append(entry)
    nextID = max(nextID, entry.id + 1)
  }

  private func forget(_ entry: Entry) {
    entries[entry.scope] = nil
    changes.dropped.append(entry.id)
  }

  /// Whether the entry still stands; the queues may hold some that do not.
  private func stands(_ entry: Entry) -> Bool { entries[entry.scope] === entry }

  /// In small steps: the commit section is no place to forget a day at once.
  private func dropOld(agent: ArraySlice<UInt8>, now: Int64) {
    if byAgent[agent]!.count > perAgentMax, let first = byAgent[agent]!.popFirst(), stands(first) { forget(first) }
    for _ in 0..<64 {
      guard let first = inOrder.first else { break }
      if stands(first) {
        let isOld = now - first.recordedAt >= Limits.idempotencyAgeMicrosMax
        guard isOld || entries.count > countMax else { break }
        forget(first)
      }
      inOrder.removeFirst()
      trim(first.scope.agent)
    }
    // Those forgotten because of their agent's count may be at most as many as the others.
    if inOrder.count > 2 * entries.count + 1_024 { inOrder.removeAll { !stands($0) } }
  }

  private func trim(_ agent: ArraySlice<UInt8>) {
    while let first = byAgent[agent]?.first, !stands(first) { byAgent[agent]?.removeFirst() }
    if byAgent[agent]?.isEmpty == true { byAgent[agent] = nil }
  }

  /// Hands the changes to a checkpoint.
  package func capture() -> Changes {
    defer { changes = Changes() }
    return changes
  }

  /// The checkpoint failed.
  func giveBack(_ captured: Changes) {
    changes.added.insert(contentsOf: captured.added, at: 0)
    changes.dropped.insert(contentsOf: captured.dropped, at: 0)
  }
}
