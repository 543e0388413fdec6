// Counters of the store, for GetStats. Reading them takes every shard's lock once, briefly.

import Synchronization
import TwinCore

package struct StoreStats: Equatable, Sendable {
  package var sequence: UInt64 = 0
  package var syncedSequence: UInt64 = 0
  /// Why writes are refused; nil = they are not.
  package var failure: StoreError?
  /// Twins that exist, in memory or not.
  package var twinCount = 0
  /// Twins in memory, deleted ones included, and their bytes.
  package var residentCount = 0
  package var twinBytes = 0
  package var memoryBytesMax = 0
  /// Twins dropped from memory and read back since the start.
  package var evictionCount: UInt64 = 0
  package var coldReadCount: UInt64 = 0
  /// Twins that changed since the last checkpoint, deleted ones included.
  package var dirtyCount = 0
  /// What a checkpoint would write, or is writing, as it lies in memory. Bounds the writers.
  package var unwrittenBytes = 0
  package var feedBytes = 0
  package var feedOldestSequence: UInt64 = 0
  package var idempotencyKeyCount = 0
  package var journal = JournalStats()
  /// Checkpoints completed since the start, the last of them, and why the last try failed, if it did.
  package var checkpointCount = 0
  package var lastCheckpoint: CheckpointReport?
  package var checkpointError: StoreError?
  /// Of the one that runs; 0 = none runs.
  package var checkpointRowsDone = 0
  package var checkpointRowsTotal = 0
  package var recovery = RecoveryReport()
  package var factCount = 0
}

package struct JournalStats: Equatable, Sendable {
  package var byteCount = 0
  package var segmentCount = 0
  package var syncCount: UInt64 = 0
}

extension Store {
  package var stats: StoreStats {
    var stats = StoreStats()
    for shard in cache.shards {
      shard.lock.withLock {
        stats.residentCount += shard.count
        stats.dirtyCount += shard.unwritten.dirty.count
        stats.twinBytes += shard.byteCount
        stats.evictionCount += shard.evictionCount
      }
    }
    stats.coldReadCount = coldReadCount.load(ordering: .relaxed)
    stats.memoryBytesMax = options.memoryBytesMax
    stats.unwrittenBytes = cache.unwrittenBytes
    stats.feedBytes = feed.byteCount
    stats.feedOldestSequence = feed.oldest
    section.describe(&stats)
    let checkpoints = checkpoints.summary
    stats.checkpointCount = checkpoints.completed
    stats.lastCheckpoint = checkpoints.last
    stats.checkpointError = checkpoints.error
    stats.checkpointRowsDone = checkpoints.rowsDone
    stats.checkpointRowsTotal = checkpoints.rowsTotal
    stats.recovery = recovery
    stats.factCount = factCount.load(ordering: .relaxed)
    return stats
  }
}
