// Which sequences have been issued, may be issued, and never will be.
//
// The database knows the last sequence as of a checkpoint and a reserve above it. Sequences are issued only out of
// the reserve; after a stop without a final checkpoint the next one comes from above it, since any in it may have
// been seen by someone. What is passed over is a jump.

import TwinCore

package struct SequenceRange: Equatable, Sendable {
  /// The last commit's.
  package private(set) var last: UInt64
  /// What the next commit gets.
  package private(set) var next: UInt64
  /// The highest that may be issued before the database has a new reserve.
  package private(set) var reserved: UInt64
  /// Sequences that no commit has and none will get, ascending.
  package private(set) var jumps: [ClosedRange<UInt64>]

  /// As the database states it; `isClean` when a final checkpoint preceded the stop. The new reserve must be in the
  /// database before the first commit.
  package init(last: UInt64, reserved: UInt64, jumps: [ClosedRange<UInt64>], isClean: Bool) {
    self.last = last
    self.jumps = jumps
    if !isClean && reserved > last {
      // A jump right behind the last commit is one that a start without a commit left.
      if let before = jumps.last, before.lowerBound == last + 1 { self.jumps.removeLast() }
      self.jumps.append(last + 1...reserved)
    }
    next = max(last, self.jumps.last?.upperBound ?? 0) + 1
    self.reserved = next - 1 + Limits.sequenceReserveMax
  }

  /// The reserve that a checkpoint made now would state.
  package var nextReserve: UInt64 { next - 1 + Limits.sequenceReserveMax }

  /// A checkpoint with this reserve is in the database.
  package mutating func extend(to reserve: UInt64) { reserved = max(reserved, reserve) }

  package mutating func issue() {
    precondition(next <= reserved)
    last = next
    next += 1
  }

  package var isExhausted: Bool { next > reserved }

  /// Less than half of the reserve is left.
  package var isLow: Bool { reserved < next + Limits.sequenceReserveMax / 2 }
}
