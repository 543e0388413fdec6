// A whole history at once, for tests to compare: read page by page as the service does, begun anew when retention
// dropped facts meanwhile.

import TwinCore
import TwinStore

/// The facts of one twin, oldest first.
package struct TwinHistory: Sendable {
  package let facts: [StoredFact]
  /// They are complete up to this sequence.
  package let sequence: UInt64
  /// From when on they are all there, microseconds since the epoch; Int64.min = all there ever were.
  package let from: Int64

  package init(facts: [StoredFact], sequence: UInt64, from: Int64) {
    self.facts = facts
    self.sequence = sequence
    self.from = from
  }

  /// OUT_OF_RANGE when what was true at `validAt`, as known at `knownAt`, is not kept any more.
  package func check(_ name: TwinName, validAt: Int64, knownAt: Int64) throws(TwinError) {
    if min(knownAt, validAt) < from {
      throw TwinError(.outOfRange, "what \(name) was before \(from) is not kept")
    }
  }
}

extension HistoryLimits {
  /// Pages of so many facts; so many changes in memory are looked at for one.
  package init(facts: Int, changes: Int = Limits.historyPageChangesMax) {
    self.init()
    factsMax = facts
    changesMax = changes
  }
}

extension Store {
  /// Nil when the twin never existed. `between` runs after every page but the last.
  package func facts(
    of name: TwinName, limits: HistoryLimits = HistoryLimits(), between: () throws(StoreError) -> Void = {}
  ) throws(StoreError) -> TwinHistory? {
    var cursor = HistoryCursor(name)
    var facts: [StoredFact] = []
    while true {
      switch try read(&cursor, limits: limits) {
      case .absent: return nil
      case .trimmed: facts = []
      case .part(let some): facts += some
      case .last(let some, let sequence):
        return TwinHistory(facts: facts + some, sequence: sequence, from: cursor.from)
      }
      try between()
    }
  }

  /// The twin at `validAt`, as known at `knownAt`, by these facts; nil when it did not exist then.
  package func image(
    _ name: TwinName, _ history: TwinHistory, validAt: Int64, knownAt: Int64
  ) throws(StoreError) -> TwinImage? {
    do throws(RecordFault) {
      var fold = AsOfFold(validAt: validAt, knownAt: knownAt)
      for fact in history.facts { try fold.add(fact) }
      return try fold.image(name)
    } catch {
      throw .corrupt(path: "", table: "facts", row: "\(name)", reason: error.reason)
    }
  }

  /// The same, read as the service reads it. `between` runs after every page but the last.
  package func asOf(
    _ name: TwinName, validAt: Int64, knownAt: Int64, limits: HistoryLimits = HistoryLimits(),
    between: () throws(StoreError) -> Void = {}
  ) throws(StoreError) -> AsOfRead.Answer {
    var read = AsOfRead(name, validAt: validAt, knownAt: knownAt, limits: limits)
    while true {
      if let answer = try read.step(self) { return answer }
      try between()
    }
  }
}
