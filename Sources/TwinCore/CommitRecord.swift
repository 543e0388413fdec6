// What one commit did, kept for watches: shared, immutable, ready to be copied into a WatchTwinsResponse.

package final class CommitRecord: Sendable {
  package let sequence: UInt64
  /// For each twin changed the image of the change, as apply left it: entries that do not hold at the commit's time
  /// are marked `.notCurrent`, and a change that made the twin is marked as its creation. A fact's ordinal is its number over all changes.
  package let changes: [TwinImage]
  /// Bytes that it takes in memory.
  package let byteCount: Int

  package init(sequence: UInt64, changes: [TwinImage]) {
    self.sequence = sequence
    self.changes = changes
    byteCount = changes.reduce(96) { $0 + $1.byteCount + MemoryLayout<TwinImage>.stride }
  }
}
