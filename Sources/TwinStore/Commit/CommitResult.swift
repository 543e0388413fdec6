// What a write did; returned again when its idempotency key is.

import CTwindProto

package struct CommitResult: Equatable, Sendable {
  /// The commit's sequence; when nothing changed, the sequence of the last commit.
  package let sequence: UInt64
  /// Each twin's revision after the commit, in the order of the request; 0 = it never existed.
  package let revisions: [UInt64]
  /// 0 = nothing changed.
  package let factCount: Int

  package init(sequence: UInt64, revisions: [UInt64], factCount: Int) {
    self.sequence = sequence
    self.revisions = revisions
    self.factCount = factCount
  }
}

/// How durable a write is before it is acknowledged; each level includes those before it.
package enum Durability: Int, Comparable, Sendable, CaseIterable {
  /// Applied in memory; written within 10 ms.
  case memory
  /// In the journal file: survives a crash of the process; synced within a second.
  case journaled
  /// Survives loss of power.
  case synced

  package static func < (left: Durability, right: Durability) -> Bool { left.rawValue < right.rawValue }

  /// Nil for UNSPECIFIED, the default.
  package init?(_ wire: Twind__V1__Durability) {
    switch wire {
    case TWIND__V1__DURABILITY__DURABILITY_MEMORY: self = .memory
    case TWIND__V1__DURABILITY__DURABILITY_JOURNALED: self = .journaled
    case TWIND__V1__DURABILITY__DURABILITY_SYNCED: self = .synced
    default: return nil
    }
  }

  package var wire: Twind__V1__Durability {
    switch self {
    case .memory: TWIND__V1__DURABILITY__DURABILITY_MEMORY
    case .journaled: TWIND__V1__DURABILITY__DURABILITY_JOURNALED
    case .synced: TWIND__V1__DURABILITY__DURABILITY_SYNCED
    }
  }
}

/// A write that was applied, and what is still to be waited for before it is acknowledged.
package struct CommitOutcome: Sendable {
  package let result: CommitResult
  /// The level that was asked for.
  package let durability: Durability
  /// The level is reached once the journal is synced up to this many bytes; 0 = it is reached.
  package let awaitsSync: Int
}
