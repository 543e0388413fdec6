// The limits of the service.

/// When one is exceeded, the caller gets an error status.
enum ServiceLimits {
  /// Bytes of twins in a reply with several twins.
  static let replyBytesMax = 3_584 << 10
  /// Bytes of twins that are read from disk for one call, but at least one twin. The caller has to ask for the rest
  /// again.
  static let coldTwinBytesMax = 8 << 20
  /// How long a read waits for its min_sequence, in nanoseconds.
  static let sequenceWaitNanosMax: UInt64 = 1_000_000_000
  /// Larger writes are committed on the commit thread.
  static let inlineWriteBytesMax = 8 << 10
  /// Bytes of twins in one part of a watch's snapshot.
  static let snapshotBytesMax = 256 << 10
  /// How many commits a watch may be behind when it resumes from disk.
  static let watchLagCommitsMax: UInt64 = 1 << 24
  /// How many commits are processed for a watch before others have their turn.
  static let watchTurnCommitsMax = 256
  /// After this many commits without changes, a watch gets a sign of progress.
  static let watchQuietCommitsMax = 10_000
  /// How many requests of a user may wait for one kind of worker.
  static let workersQueueMax = 1_024

  /// The limits that callers can exceed, sorted by name.
  static let named: [(name: String, value: UInt64)] = [
    ("coldTwinBytesMax", UInt64(coldTwinBytesMax)),
    ("replyBytesMax", UInt64(replyBytesMax)),
    ("sequenceWaitNanosMax", sequenceWaitNanosMax),
    ("snapshotBytesMax", UInt64(snapshotBytesMax)),
    ("watchLagCommitsMax", watchLagCommitsMax),
    ("workersQueueMax", UInt64(workersQueueMax)),
  ]
}
