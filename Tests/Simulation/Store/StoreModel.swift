// What a store must hold: one log of everything that was written, and how far of it must survive what.
//
// Promises: knows before each write what it does, from the pure half of the product (decide, apply) on images of its
// own, and what may be lost: at a crash the end of the log behind what was acknowledged, and nothing else.

import TwinCore
import TwinStore

final class StoreModel {
  /// What a write must come to.
  enum Expectation {
    case refusal(TwinError)
    /// Answered without a record: repeated, or without a change.
    case answer(CommitResult)
    case entry(LogEntry, CommitResult)
  }

  private(set) var log: [LogEntry] = []
  /// A write that a failing process may have put at the end of the log.
  private(set) var doubtful: LogEntry?
  /// So many entries survive a kill, and so many a loss of power.
  private(set) var written = 0
  private(set) var synced = 0
  private var images: [String: TwinImage] = [:]
  private var keys: [String: LogEntry.Key] = [:]
  /// What the next commit gets.
  private(set) var nextSequence: UInt64 = 1
  /// The highest that anyone may have seen.
  private(set) var lastIssued: UInt64 = 0

  /// The sequence of the last commit.
  var head: UInt64 { log.last { $0.isCommit }?.sequence ?? 0 }

  init(_ log: ArraySlice<LogEntry> = []) {
    self.log = Array(log)
    for entry in log { take(entry) }
  }

  /// The twin as readers see it at `now`; nil when it never existed.
  func image(_ name: String, at now: Int64) -> TwinImage? {
    guard let image = images[name] else { return nil }
    return image.nextChangeTime > now ? image : image.derived(at: now)
  }

  /// All that were ever written.
  func facts(of name: String) -> [WrittenFact] { log.flatMap { $0.facts(of: name) } }

  /// In byte order.
  var liveNames: [String] { images.filter { !$0.value.isDeleted }.keys.sorted() }

  // MARK: Writing

  /// - Parameters:
  ///   - now: what the twins are seen at.
  ///   - recordedAt: later than all that was recorded or told before.
  func expect(_ command: Command, _ wish: Wish, at now: Int64, recordedAt: Int64) throws -> Expectation {
    let scope = wish.agent + " " + wish.key
    if !wish.key.isEmpty, let first = keys[scope] {
      if first.requestHash == wish.number { return .answer(first.result) }
      return .refusal(.invalid("the key is another request's"))
    }
    let before = wish.twins.map { image($0.name, at: now) }
    let commit = Commit(sequence: nextSequence, recordedAt: recordedAt, agent: command.agent, purpose: command.purpose)
    let decision: Decision
    do throws(TwinError) {
      decision = try decide(command, on: before, as: commit)
    } catch {
      if error.code == .resourceExhausted && wish.takesAway { throw HistoryFailure("a removal is refused: \(error)") }
      return .refusal(error)
    }
    var changes: [(String, TwinImage)] = []
    for (twin, range) in zip(command.twins, decision.ranges) where !range.isEmpty {
      let name = String(decoding: twin.name.bytes, as: UTF8.self)
      changes.append((name, TwinImage.change(decision.facts[range], named: twin.name, as: commit)))
    }
    let revisions = zip(before, decision.ranges).map { image, range in
      range.isEmpty ? image?.revision ?? 0 : commit.sequence
    }
    let sequence = changes.isEmpty ? head : commit.sequence
    let result = CommitResult(sequence: sequence, revisions: revisions, factCount: decision.facts.count)
    if changes.isEmpty && wish.key.isEmpty { return .answer(result) }
    let key =
      wish.key.isEmpty ? nil : LogEntry.Key(scope: scope, requestHash: wish.number, result: result)
    return .entry(LogEntry(sequence: sequence, recordedAt: recordedAt, changes: changes, key: key), result)
  }

  /// The write has been done; it is in memory.
  func append(_ entry: LogEntry) {
    log.append(entry)
    take(entry)
    if entry.isCommit {
      lastIssued = max(lastIssued, entry.sequence)
      nextSequence = entry.sequence + 1
    }
  }

  /// Nobody knows whether the write was done, and no other is done after it by this process.
  func doubt(_ entry: LogEntry) throws(HistoryFailure) {
    if doubtful != nil { throw HistoryFailure("a write was begun after one whose outcome is unknown") }
    doubtful = entry
    lastIssued = max(lastIssued, entry.sequence)
  }

  /// The first so many entries have reached a level.
  func reached(_ level: Durability, _ count: Int) {
    if level >= .journaled { written = max(written, count) }
    if level == .synced { synced = max(synced, count) }
  }

  /// The place behind the commit with this sequence.
  func end(of sequence: UInt64) -> Int? { log.lastIndex { $0.isCommit && $0.sequence == sequence }.map { $0 + 1 } }

  private func take(_ entry: LogEntry) {
    // The model forgets nothing.
    for (name, change) in entry.changes { images[name] = apply(change, to: images[name], forgets: false) }
    if let key = entry.key { keys[key.scope] = key }
  }

  // MARK: After a crash

  func lose(_ crash: Crash) {
    if let doubtful { log.append(doubtful) }
    doubtful = nil
    if crash == .power { written = synced }
  }

  /// A start has found the log's first `count` entries, and has made them durable. Returns the others.
  func recover(_ count: Int) -> ArraySlice<LogEntry> {
    let lost = log[count...]
    log.removeSubrange(count...)
    written = count
    synced = count
    images = [:]
    keys = [:]
    for entry in log { take(entry) }
    return lost
  }

  func begin(nextSequence: UInt64) throws(HistoryFailure) {
    if nextSequence <= lastIssued {
      throw HistoryFailure("sequence \(nextSequence) would be issued again: \(lastIssued) was")
    }
    self.nextSequence = nextSequence
  }
}
