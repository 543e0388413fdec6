// Counters of the store, for GetStats. Reading them takes every shard's lock once, briefly.

import TwinCore

package struct StoreStats: Equatable, Sendable {
  package var sequence: UInt64 = 0
  /// Twins that exist.
  package var twinCount = 0
  /// Twins that changed since the last checkpoint, deleted ones included.
  package var dirtyCount = 0
  /// Bytes of the twins in memory.
  package var twinBytes = 0
  package var feedBytes = 0
  package var feedOldestSequence: UInt64 = 0
  package var idempotencyKeyCount = 0
  /// Checkpoints completed since the start, the last of them, and why the last try failed, if it did.
  package var checkpointCount = 0
  package var lastCheckpoint: CheckpointReport?
  package var checkpointError: StoreError?
}

extension Store {
  package var stats: StoreStats {
    var stats = StoreStats()
    stats.sequence = head
    for shard in cache.shards {
      shard.lock.withLock {
        stats.twinCount += shard.liveCount
        stats.dirtyCount += shard.dirty.count
        stats.twinBytes += shard.byteCount
      }
    }
    stats.feedBytes = feed.byteCount
    stats.feedOldestSequence = feed.oldest
    stats.idempotencyKeyCount = section.idempotencyKeyCount
    (stats.checkpointCount, stats.lastCheckpoint, stats.checkpointError) = checkpoints.summary
    return stats
  }
}
