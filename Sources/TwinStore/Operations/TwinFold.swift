// A twin made anew from its facts: what a check compares the table of twins with, and retention its result.

import TwinCore

/// Facts of one twin, added in the order of their recording.
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
    image = apply(change, to: image)
    guard isFlagged else { return }
    for (row, entry) in zip(rows, change.entries) where row.isCurrent == entry.flags.contains(.notCurrent) {
      throw RowFault(
        "it says that it \(row.isCurrent ? "counted" : "did not count") when it was recorded, and that is wrong")
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
  /// What differs from the other at this time; nil = nothing.
  func difference(from other: TwinImage?, at time: Int64?) -> String? {
    guard var other else { return "there are no facts" }
    if revision != other.revision { return "the last fact is of revision \(other.revision), not \(revision)" }
    if recordedAt != other.recordedAt || isDeleted != other.isDeleted || !equalBytes(agent.bytes, other.agent.bytes) {
      return "the last fact is of another commit"
    }
    var mine = self
    if let time { (mine, other) = (derived(at: time), other.derived(at: time)) }
    if !equalBytes(mine.records, other.records) { return "its facts make other attributes" }
    if !equalBytes(mine.pendingRecords, other.pendingRecords) { return "its facts make other pending attributes" }
    return nil
  }
}
