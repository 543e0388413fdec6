// Which sequences have been issued, may be issued, and never will be.
//
// After a stop that was not clean, sequences behind the last one found may have been seen by someone: the next comes
// from 2^20 above. What is passed over is a jump. No more than that many are ever issued beyond what is synced.

import TwinCore

package struct SequenceRange: Equatable, Sendable {
  /// The last commit's.
  package private(set) var last: UInt64
  /// What the next commit gets.
  package private(set) var next: UInt64
  /// Sequences that no commit has and none will get, ascending.
  package private(set) var jumps: [ClosedRange<UInt64>]

  /// - Parameters:
  ///   - last: of the last commit found.
  ///   - jumps: those known, ascending.
  ///   - passOver: how many sequences behind the last may have been seen; 0 = none.
  package init(last: UInt64, jumps: [ClosedRange<UInt64>], passOver: UInt64) {
    self.last = last
    self.jumps = jumps
    var next = max(last, jumps.last?.upperBound ?? 0) + 1
    if passOver > 0 {
      // A jump right behind the last commit is one that a start without a commit left.
      let start = jumps.last.flatMap { $0.upperBound == next - 1 && $0.lowerBound > last ? $0.lowerBound : nil } ?? next
      if start != next { self.jumps.removeLast() }
      next = next - 1 + passOver + 1
      self.jumps.append(start...next - 1)
    }
    self.next = next
  }

  /// What the database and the journal know of jumps, ascending. Starts without a commit between them leave ranges
  /// in the journal that begin alike; each of them covers the one before.
  package static func joined(
    _ jumps: [ClosedRange<UInt64>], _ gaps: [ClosedRange<UInt64>]
  ) -> [ClosedRange<UInt64>] {
    gaps.reduce(into: jumps) { joined, gap in
      guard let last = joined.last, gap.lowerBound <= last.upperBound else { return joined.append(gap) }
      // What ends within a known one is known.
      if gap.upperBound <= last.upperBound { return }
      joined[joined.count - 1] = min(last.lowerBound, gap.lowerBound)...gap.upperBound
    }
  }

  package mutating func issue() {
    last = next
    next += 1
  }

  /// Whether so many are not yet synced that a crash could reach beyond what a start passes over.
  package func isExhausted(synced: UInt64) -> Bool {
    // What lies in a jump was never issued.
    let first = jumps.last.map { max(synced, $0.upperBound) } ?? synced
    return next > first + Limits.sequenceReserveMax || next > Limits.sequenceMax
  }
}
