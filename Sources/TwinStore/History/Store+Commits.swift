// Commits in order, for watches: from the feed, or from the facts on disk.

import Synchronization
import TwinCore

extension Store {
  /// The oldest sequence that a watch may resume from.
  package var oldestResumable: UInt64 { resumableFrom.load(ordering: .relaxed) }

  /// OUT_OF_RANGE when the commits after `sequence` are not all kept, or when no commit ever had that sequence.
  package func checkResumable(_ sequence: UInt64) throws(TwinError) {
    try checkIssued(sequence)
    let (oldest, head) = (oldestResumable, head)
    if sequence < oldest || sequence > head {
      throw TwinError(
        .outOfRange, "commits after \(sequence) cannot be resumed: from_sequence may be \(oldest) to \(head)",
        detail: .resume(oldest: oldest, head: head))
    }
  }

  /// Appends to `result` up to `limit` commits after `sequence` that are in memory. False: they begin later, and
  /// `storedCommits` has what lies between.
  package func commits(after sequence: UInt64, limit: Int, into result: inout [CommitRecord]) -> Bool {
    feed.read(after: sequence, limit: limit, into: &result)
  }

  /// Some commits after `sequence`, at least one as long as there are some that are not in memory. Reads the disk, and
  /// may wait for a checkpoint: not for a reactor.
  package func storedCommits(after sequence: UInt64, atLeast limit: Int) throws(StoreError) -> [CommitRecord] {
    // What the feed no longer has and the database does not have yet.
    if section.appliedSequence.load(ordering: .acquiring) < feed.oldest { _ = try checkpoint() }
    // Of what comes after it, a checkpoint that runs or has failed may have written some twins and not others.
    let applied = section.appliedSequence.load(ordering: .acquiring)
    return try reading { () throws(StoreError) in
      try database.commits(after: sequence, through: applied, atLeast: limit)
    }
  }
}
