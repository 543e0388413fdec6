// The bounds of the service.

/// Past one the caller gets a status.
enum ServiceLimits {
  /// Bytes of twins in one reply about many.
  static let replyBytesMax = 3_584 << 10
  /// Bytes of twins that are read from the disk for one call, at least one twin: the rest of a batch is to be asked for
  /// again.
  static let coldTwinBytesMax = 8 << 20
  /// How long a read waits for its min_sequence, in nanoseconds.
  static let sequenceWaitNanosMax: UInt64 = 1_000_000_000
  /// A larger write is committed on the thread for commits.
  static let inlineWriteBytesMax = 8 << 10
  /// Bytes of twins in one part of a watch's snapshot.
  static let snapshotBytesMax = 256 << 10
  /// Commits that a watch may lie behind when it resumes from the disk.
  static let watchLagCommitsMax: UInt64 = 1 << 24
  /// Commits looked at for one watch before others have their turn.
  static let watchTurnCommitsMax = 256
  /// Commits without news after which a watch is told how far it has come.
  static let watchQuietCommitsMax = 10_000
  /// Requests of one user that wait for one kind of worker.
  static let workersQueueMax = 1_024

  /// Those that a caller can meet, in name order.
  static let named: [(name: String, value: UInt64)] = [
    ("coldTwinBytesMax", UInt64(coldTwinBytesMax)),
    ("replyBytesMax", UInt64(replyBytesMax)),
    ("sequenceWaitNanosMax", sequenceWaitNanosMax),
    ("snapshotBytesMax", UInt64(snapshotBytesMax)),
    ("watchLagCommitsMax", watchLagCommitsMax),
    ("workersQueueMax", UInt64(workersQueueMax)),
  ]
}
