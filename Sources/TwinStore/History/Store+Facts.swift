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
    var row = try database.twinRow(name, from: database.reader)
    if row == nil && fresh.isEmpty { return nil }
    var facts: [StoredFact] = []
    if let first = row {
      do throws(StoreError) {
        facts = try database.facts(of: first)
      } catch {
        // Old facts may have been dropped between the two reads; then the row has changed too.
        guard let second = try database.twinRow(name, from: database.reader), second.factCount != first.factCount else {
          throw error
        }
        row = second
        facts = try database.facts(of: second)
      }
    }
    let written = row?.image.revision ?? 0
    for change in fresh where change.revision > written { facts += change.facts }
    return TwinHistory(
      facts: facts, sequence: max(head, facts.last?.sequence ?? 0), from: row?.factsFrom ?? Int64.min)
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
  package var now: Int64 { max(clock.wallMicros(), section.lastRecorded) }
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
