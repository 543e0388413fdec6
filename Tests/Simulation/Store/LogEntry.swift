// One record of the one log, as the model knows it: what a write did, and what a repeated write is told.

import TwinCore
import TwinStore

struct LogEntry {
  struct Key {
    /// Agent and key: all twins are of one space.
    let scope: String
    let requestHash: UInt64
    let result: CommitResult
  }

  /// The commit's; when nothing changed and only a key is remembered, that of the commit before.
  let sequence: UInt64
  let recordedAt: Int64
  /// Of each twin that changes, in the order of the request.
  let changes: [(name: String, image: TwinImage)]
  let key: Key?

  var isCommit: Bool { !changes.isEmpty }

  /// As they stand in the table of facts.
  func facts(of name: String) -> [WrittenFact] {
    guard let change = changes.first(where: { $0.name == name })?.image else { return [] }
    return change.entries.enumerated().map { index, entry in
      let fact = StoredFact(
        sequence: change.revision, ordinal: UInt32(change.firstOrdinal + index),
        message: [UInt8](change.message(entry)))
      return WrittenFact(fact: fact, recordedAt: recordedAt)
    }
  }
}

struct WrittenFact {
  let fact: StoredFact
  let recordedAt: Int64

  func isSame(as other: StoredFact) -> Bool {
    fact.sequence == other.sequence && fact.ordinal == other.ordinal && fact.message == other.message
  }
}
