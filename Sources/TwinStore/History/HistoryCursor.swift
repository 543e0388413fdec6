// All facts of one twin in order, a page at a time: those in the database, then those that only memory has.
//
// A cursor holds no facts, no lock and no transaction between two pages, so who waits for a slow reader keeps a few
// numbers. What happens meanwhile is met by the next page:
//
// - A checkpoint moves facts from memory to the database. Memory is looked at first, and the database then, as in every
//   page: what moves between the two looks is found twice and given once, by its number.
// - Retention drops old facts. When it has dropped none that are still to come, the pages already given are more than is
//   kept and in order. When it may have, what was given and what is left would not make the twin: the read begins anew.
//
// Promises: at the end all facts up to a sequence have been given once, and those in the database have been counted and
// their checksums compared with the twin's row: that none is missing or another is known before the last page is given.

import TwinCore

/// How much of a history is read at a time: a parameter, so that a test can have things happen between pages.
package struct HistoryLimits: Sendable {
  package var factsMax = Limits.historyPageFactsMax
  /// A page ends behind the fact that reaches it.
  package var bytesMax = Limits.historyPageBytesMax
  /// Changes in memory.
  package var changesMax = Limits.historyPageChangesMax

  package init() {}
}

/// What one step of a cursor found.
package enum HistoryPage: Equatable, Sendable {
  /// More pages follow; there may be no facts in this one.
  case part([StoredFact])
  /// The last page: all facts up to this sequence have been given.
  case last([StoredFact], sequence: UInt64)
  /// The twin never existed.
  case absent
  /// Retention dropped facts that were yet to be given: the cursor is at its beginning again.
  case trimmed
}

/// How far a history has been read.
package struct HistoryCursor: Sendable {
  package let name: [UInt8]
  /// From when on the facts are all there, microseconds since the epoch; Int64.min = all there ever were. Known with the
  /// first page.
  package private(set) var from = Int64.min
  /// All facts with numbers up to this one have been given. A fact's number is its row's.
  private(set) var after: Int64 = 0
  /// When the last one given was recorded.
  private var recordedAt = Int64.min
  private var tally = Tally()

  /// What was counted of the facts in the database.
  private struct Tally {
    /// What the twin's row said last; nil = it was not read, or there is none.
    var head: FactsHead?
    /// Retention has dropped facts up to this time, as far as is known.
    var from = Int64.min
    /// Up to this number; below `after` when retention made the counting begin anew.
    var through: Int64 = 0
    var count: Int64 = 0
    var digest: UInt32 = 0
  }

  package init(_ name: TwinName) { self.name = name.array }
}

extension HistoryCursor {
  /// Whether the next page may be the last.
  fileprivate func nearsEnd(_ limits: HistoryLimits) -> Bool {
    guard let head = tally.head else { return true }
    return head.count - tally.count < limits.factsMax
  }

  /// The sequence from which on memory may have facts that were not given.
  fileprivate var sequence: UInt64 { UInt64(after + 1) / UInt64(Limits.factsPerSequenceMax) }

  /// Where to read on in the database, and what is known of it.
  fileprivate var place: (after: Int64, head: FactsHead?) { (tally.through, tally.head) }

  /// Notes what retention dropped since the last page. Nil: nothing; true: none that were yet to be given.
  fileprivate mutating func noteTrim(_ head: FactsHead) -> Bool? {
    if after == 0 {
      from = head.from
      tally.from = head.from
    }
    if tally.from == head.from { return nil }
    // Dropped are facts recorded at that time or before, and recorded time does not go back.
    let isHarmless = recordedAt > head.from
    tally = Tally()
    tally.from = head.from
    if !isHarmless {
      after = 0
      recordedAt = .min
    }
    return isHarmless
  }

  /// Counts the rows, and returns those that were not given.
  fileprivate mutating func take(_ page: FactsPage) -> [StoredFact] {
    tally.head = page.head
    var fresh: [StoredFact] = []
    fresh.reserveCapacity(page.rows.count)
    for row in page.rows {
      let number = FactRow.id(sequence: row.fact.sequence, ordinal: Int(row.fact.ordinal))
      tally.count += 1
      tally.digest ^= row.checksum
      tally.through = number
      if number > after {
        fresh.append(row.fact)
        after = number
      }
    }
    if let last = fresh.last { recordedAt = last.recordedAt }
    return fresh
  }

  /// Why what was counted is not what was written; nil = it is.
  fileprivate var fault: String? {
    guard let head = tally.head, tally.count != head.count || tally.digest != head.digest else { return nil }
    return "there are \(tally.count), and \(head.count) were written, or some are not those that were"
  }

  /// The number of the twin's row; 0 = not known.
  var twin: Int64 { tally.head?.twin ?? 0 }

  /// Adds facts of changes that only memory has. False: there was no room for all.
  fileprivate mutating func take(
    _ part: UnwrittenTwins.Part, _ facts: inout [StoredFact], _ limits: HistoryLimits
  ) -> Bool {
    var byteCount = facts.reduce(0) { $0 + $1.message.count }
    for change in part.changes {
      for (index, entry) in change.entries.enumerated() {
        let ordinal = change.firstOrdinal + index
        let number = FactRow.id(sequence: change.revision, ordinal: ordinal)
        if number <= after { continue }
        if facts.count >= limits.factsMax || byteCount >= limits.bytesMax { return false }
        let fact = StoredFact(
          sequence: change.revision, ordinal: UInt32(ordinal), message: [UInt8](change.message(entry)))
        byteCount += fact.message.count
        facts.append(fact)
        after = number
        recordedAt = change.recordedAt
      }
    }
    guard let through = part.through else { return true }
    after = max(after, FactRow.id(sequence: through, ordinal: Limits.factsPerSequenceMax - 1))
    return false
  }
}

extension Store {
  /// Reads the next page. For a thread that may block.
  ///
  /// - Throws: `corrupt` when a fact is missing or is not what was written.
  package func read(
    _ cursor: inout HistoryCursor, limits: HistoryLimits = HistoryLimits()
  ) throws(StoreError) -> HistoryPage {
    let name = cursor.name
    return try name.withUnsafeBufferPointer { (bytes) throws(StoreError) in
      let name = TwinName(unchecked: UnsafeRawBufferPointer(bytes))
      return try reading { () throws(StoreError) in try read(name, &cursor, limits) }
    }
  }

  private func read(
    _ name: TwinName, _ cursor: inout HistoryCursor, _ limits: HistoryLimits
  ) throws(StoreError) -> HistoryPage {
    // Memory first: what a checkpoint writes meanwhile is then found in both places, never in none.
    let head = self.head
    let unwritten = cursor.nearsEnd(limits) ? unwritten(name, from: cursor.sequence, limits) : nil
    let (after, known) = cursor.place
    guard let page = try database.page(of: name, after: after, known: known, limits: limits) else {
      if known != nil { throw database.corrupt("twins", "of \(name)", "it was there, and is gone") }
      return cursor.finish([], unwritten, head, limits)
    }
    switch cursor.noteTrim(page.head) {
    case true?: return .part([])
    case false?: return .trimmed
    case nil: break
    }
    let facts = cursor.take(page)
    if !page.isEnd { return .part(facts) }
    if let fault = cursor.fault { throw database.damagedTwin(cursor.twin, "\(name)", "of its facts \(fault)") }
    return cursor.finish(facts, unwritten, head, limits)
  }

  /// Changes of a twin, at or after a sequence, that the database may not have.
  private func unwritten(_ name: TwinName, from sequence: UInt64, _ limits: HistoryLimits) -> UnwrittenTwins.Part {
    let shard = cache.shard(of: name)
    return shard.lock.withLock {
      guard let found = shard.find(name) else { return UnwrittenTwins.Part() }
      return shard.unwritten.changes(
        of: TwinImage(storage: found.takeUnretainedValue()), from: sequence, looksMax: limits.changesMax)
    }
  }
}

extension HistoryCursor {
  /// Adds what only memory has to the last facts of the database. `head` was the last commit before memory was looked at;
  /// nil = memory was not looked at.
  fileprivate mutating func finish(
    _ facts: [StoredFact], _ unwritten: UnwrittenTwins.Part?, _ head: UInt64, _ limits: HistoryLimits
  ) -> HistoryPage {
    guard let unwritten else { return .part(facts) }
    var facts = facts
    guard take(unwritten, &facts, limits) else { return .part(facts) }
    if after == 0 && tally.head == nil { return .absent }
    return .last(facts, sequence: max(head, UInt64(after) / UInt64(Limits.factsPerSequenceMax)))
  }
}

extension StoredFact {
  /// When it was recorded, microseconds since the epoch; Int64.min when that cannot be read.
  var recordedAt: Int64 {
    message.withUnsafeBytes { (try? AttributeRecord($0))?.recordedAt ?? Int64.min }
  }
}
