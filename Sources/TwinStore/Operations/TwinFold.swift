// A twin made anew from its facts: what a check compares the table of twins with, and retention its result.

import TwinCore

/// Facts of one twin, added in the order of their recording. Nothing is forgotten of them.
struct TwinFold {
  let name: TwinName
  private(set) var image: TwinImage?

  init(_ name: TwinName) { self.name = name }

  /// Adds one commit's facts. Throws what is wrong with them.
  ///
  /// - Parameter isFlagged: they must say rightly whether they held at their commit's time.
  mutating func add(_ rows: ArraySlice<FactRow>, isFlagged: Bool) throws(RowFault) {
    let change: TwinImage
    do throws(RecordFault) {
      change = try TwinImage.change(name, rows.map(\.fact), isCurrent: rows.map { _ in true })
    } catch {
      throw RowFault(error.reason)
    }
    if change.recordedAt < image?.recordedAt ?? .min { throw RowFault("it was recorded before the one before it") }
    if change.revision != rows.first?.fact.sequence {
      throw RowFault("it says that it is of commit \(change.revision)")
    }
    image = apply(change, to: image, forgets: false)
    guard isFlagged else { return }
    for (row, entry) in zip(rows, change.entries) where row.isCurrent == entry.flags.contains(.notCurrent) {
      throw RowFault(
        "it says that it \(row.isCurrent ? "counted" : "did not count") when it was recorded, and that is wrong")
    }
    // Facts of version 0.1 do not say it of any commit.
    if !change.isCreation, rows.contains(where: \.isCreation) {
      throw RowFault("it says that its commit made the twin, and that is wrong")
    }
  }

  /// Adds all facts of a twin that has all of them since `from`.
  mutating func add(all rows: [FactRow], from: Int64 = .min) throws(RowFault) {
    var start = 0
    while start < rows.count {
      let sequence = rows[start].fact.sequence
      let end = rows[start...].firstIndex { $0.fact.sequence != sequence } ?? rows.count
      try add(rows[start..<end], isFlagged: rows[start].fact.recordedAt > from)
      start = end
    }
  }
}

extension TwinImage {
  /// What is wrong with this stored image, given what a fold of its facts makes; nil = nothing.
  ///
  /// It may have been derived for any time since its last commit: a read after something began or ended does so.
  ///
  /// - Parameter from: from when on all facts are there; what stands here from before is derived for then.
  func fault(against fold: TwinImage?, from: Int64) -> String? {
    guard let fold else { return "there are no facts" }
    if let difference = headDifference(from: fold) { return difference }
    let start = max(from, recordedAt)
    var made = from == .min ? fold : fold.derived(at: start)
    if holdsSame(forgetting: made) || (from != .min && derived(at: start).holdsSame(forgetting: made)) { return nil }
    for turn in fold.turns where turn > start {
      made = made.derived(at: turn)
      if holdsSame(forgetting: made) { return nil }
    }
    return "they make other attributes"
  }

  /// What differs in revision and provenance; nil = nothing.
  func headDifference(from other: TwinImage) -> String? {
    if revision != other.revision { return "the last one is of revision \(other.revision), not \(revision)" }
    let isSame =
      recordedAt == other.recordedAt && isDeleted == other.isDeleted && equalBytes(agent.bytes, other.agent.bytes)
    return isSame ? nil : "the last one is of another commit"
  }

  /// Whether both have the same attributes, current and pending.
  func holdsSame(as other: TwinImage) -> Bool {
    equalBytes(records, other.records) && equalBytes(pendingRecords, other.pendingRecords)
  }

  /// Times at which something in it begins or ends, ascending.
  private var turns: [Int64] {
    var turns: Set<Int64> = []
    for part in [entries, pendingEntries] {
      for entry in part {
        let record = attribute(entry)
        turns.insert(record.validFrom)
        if record.validTo != 0 { turns.insert(record.validTo) }
      }
    }
    return turns.sorted()
  }
}
