// All facts of one twin: those in the database, then those that only memory has. Reads the disk: not for a reactor.

import TwinCore

/// The facts of one twin, oldest first.
package struct TwinHistory: Sendable {
  package let facts: [StoredFact]
  /// They are complete up to this sequence.
  package let sequence: UInt64
  /// From when on they are all there, microseconds since the epoch; Int64.min = all there ever were.
  package let from: Int64
}

extension Store {
  /// Nil when the twin never existed.
  package func facts(of name: TwinName) throws(StoreError) -> TwinHistory? {
    // Memory first: what a checkpoint writes meanwhile is then found in both places, never in none.
    let head = self.head
    let shard = cache.shard(of: name)
    let fresh = shard.lock.withLock { () -> [TwinImage] in
      guard let found = shard.find(name) else { return [] }
      return shard.unwritten.changes(of: TwinImage(storage: found.takeUnretainedValue()))
    }
    let stored = try reading { () throws(StoreError) in try database.history(of: name) }
    if stored == nil && fresh.isEmpty { return nil }
    var facts = stored?.facts ?? []
    let written = stored?.row.image.revision ?? 0
    for change in fresh where change.revision > written { facts += change.facts }
    return TwinHistory(
      facts: facts, sequence: max(head, facts.last?.sequence ?? 0), from: stored?.row.factsFrom ?? Int64.min)
  }
}

extension Database {
  /// A twin's row and the facts that it counts; nil when there is none.
  fileprivate func history(of name: TwinName) throws(StoreError) -> (row: TwinRow, facts: [StoredFact])? {
    guard var row = try twinRow(name, from: reader) else { return nil }
    while true {
      do throws(StoreError) {
        return (row, try facts(of: row))
      } catch {
        // Old facts may have been dropped between the two reads; then the row has changed too.
        guard case .corrupt = error, let again = try twinRow(name, from: reader), again.factsFrom != row.factsFrom
        else { throw error }
        row = again
      }
    }
  }
}

extension TwinHistory {
  /// OUT_OF_RANGE when what was true at `validAt`, as known at `knownAt`, is not kept any more.
  package func check(_ name: TwinName, validAt: Int64, knownAt: Int64) throws(TwinError) {
    if min(knownAt, validAt) < from {
      throw TwinError(.outOfRange, "what \(name) was before \(from) is not kept: ask for that time or a later one")
    }
  }
}

extension Store {
  /// The twin at `validAt`, as known at `knownAt`, microseconds since the epoch; nil when it did not exist then.
  package func image(
    _ name: TwinName, _ history: TwinHistory, validAt: Int64, knownAt: Int64
  ) throws(StoreError) -> TwinImage? {
    // Recorded time does not go back from one fact to the next.
    let known = history.facts.prefix { $0.recordedAt <= knownAt }
    do throws(RecordFault) {
      return try TwinImage.asOf(name, Array(known), validAt: validAt)
    } catch {
      throw database.corrupt("facts", "of \(name)", "fact \(error.offset): \(error.reason)")
    }
  }

  /// The present, microseconds since the epoch: no earlier than the last commit.
  package var now: Int64 { clock.wallMicros() }

  /// The present for who is told what is known now: as known then, it stays so. No later commit is recorded earlier,
  /// though the machine's clock be set back.
  package func present() -> Int64 {
    let now = self.now
    clock.reach(now)
    return now
  }
}

extension TwinImage {
  /// The facts of a change, as they are stored.
  fileprivate var facts: [StoredFact] {
    entries.enumerated().map { index, entry in
      StoredFact(sequence: revision, ordinal: UInt32(firstOrdinal + index), message: [UInt8](message(entry)))
    }
  }
}

extension StoredFact {
  /// When it was recorded, microseconds since the epoch; Int64.min when that cannot be read.
  var recordedAt: Int64 {
    message.withUnsafeBytes { (try? AttributeRecord($0))?.recordedAt ?? Int64.min }
  }
}
