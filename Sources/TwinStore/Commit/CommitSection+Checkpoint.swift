// What a checkpoint asks of the commit section.

import Synchronization
import TwinCore

extension CommitSection {
  /// All that the database does not have, as of one sequence.
  struct Capture: Sendable {
    let sequence: UInt64
    /// By shard.
    let images: [[TwinImage]]
    /// None of the images is derived for a later time; no commit after them is recorded earlier.
    let recordedAt: Int64
    let jumps: [ClosedRange<UInt64>]
    /// Oldest first.
    let keys: [IdempotencyTable.Entry]
    /// The journal's bytes, and its newest segment, at that moment.
    let journalBytes: Int
    let newestSegment: UInt64

    var imageCount: Int { images.reduce(0) { $0 + $1.count } }
  }

  /// Begins a checkpoint. Takes as long as there are shards. With `isLast` no commit follows.
  func capture(isLast: Bool) -> Capture {
    lock.withLock {
      if isLast { isClosed = true }
      return Capture(
        sequence: sequences.last, images: cache.capture(), recordedAt: clock.reached, jumps: sequences.jumps,
        keys: keys.capture(), journalBytes: journal.appendedBytes, newestSegment: journal.newestSegment)
    }
  }

  /// The capture is in the database.
  func settle(_ capture: Capture) {
    cache.settle()
    lock.withLock {
      appliedSequence.store(capture.sequence, ordering: .releasing)
      journalBytesAtCheckpoint = capture.journalBytes
      checkpointError = nil
    }
  }

  /// The capture is not in the database.
  func giveBack(_ capture: Capture) {
    cache.giveBack()
    lock.withLock { keys.giveBack() }
  }

  /// The next so many keys of the capture are in the database, and keys of these agents are no longer in it, which had
  /// expired.
  func moveKeys(_ count: Int, dropped: [AgentCounts.Place]) {
    lock.withLock {
      keys.move(count)
      keys.forget(dropped)
      keysAreCrowded.store(keys.isCrowded, ordering: .relaxed)
    }
  }

  func forgetKeys(_ dropped: [AgentCounts.Place]) { lock.withLock { keys.forget(dropped) } }

  var wantsKeysWritten: Bool { lock.withLock { keys.wantsCheckpoint } }

  /// Deletes what no recovery will need: everything before this segment is in the database's file, synced.
  func deleteSegments(before number: UInt64) throws(StoreError) {
    guard let deletion = lock.withLock({ journal.beginDelete(before: number) }) else { return }
    deletion.run()
    try lock.withLock { () throws(StoreError) in try journal.endDelete(deletion) }
  }

  var journalBytesSinceCheckpoint: Int { lock.withLock { journal.appendedBytes - journalBytesAtCheckpoint } }

  func describe(_ stats: inout StoreStats) {
    lock.withLock {
      stats.sequence = sequences.last
      stats.syncedSequence = journal.syncedThrough
      stats.failure = failure
      stats.twinCount = liveCount
      stats.idempotencyKeyCount = keys.count
      stats.journal = JournalStats(
        byteCount: journal.byteCount, segmentCount: journal.segmentCount, syncCount: UInt64(journal.syncCount))
    }
  }
}
