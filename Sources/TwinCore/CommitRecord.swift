// What one commit did, kept for watches: shared, immutable, ready to be copied into a WatchTwinsResponse.

package final class CommitRecord: Sendable {
  package let sequence: UInt64
  /// For each twin changed an image of the change: its records are the fields `attributes` and `removed` of a
  /// twind.v1.TwinChange; `revision` and `isDeleted` are that message's.
  package let changes: [TwinImage]
  /// Bytes that it takes in memory.
  package let byteCount: Int

  package init(sequence: UInt64, changes: [TwinImage]) {
    self.sequence = sequence
    self.changes = changes
    byteCount = changes.reduce(96) { $0 + $1.byteCount + MemoryLayout<TwinImage>.stride }
  }
}
