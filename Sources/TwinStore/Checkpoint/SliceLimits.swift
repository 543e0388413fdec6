// How much of a checkpoint, and of what it brings along, goes in one transaction: a parameter, so that a test can have
// crashes fall between slices.

package struct SliceLimits: Sendable {
  /// Twins and bytes of a checkpoint's slice: about a thousand pages of SQLite.
  package var twinsMax = 2_000
  package var bytesMax = 2 << 20
  /// Idempotency keys written, or dropped since they have expired, in one transaction: each may change a page of its own in
  /// the index.
  package var keysMax = 1_000
  /// Transactions that drop expired keys in one checkpoint: more than are written before the next one is due.
  package var keyDropsMax = 64
  /// Slices after which SQLite's write-ahead log is copied into the database: each copy is two syncs more, and takes a
  /// page that many slices changed once.
  package var perCopy = 8
  /// Twins that retention looks at in one transaction, facts of theirs after which it ends, and facts of one twin that
  /// are looked at in one go.
  package var trimTwinsMax = 256
  package var trimFactsMax = 20_000
  package var trimFactsPerTwinMax = 20_000
  /// Transactions of retention in one checkpoint.
  package var trimsMax = 16
  /// Pages that a backup copies in one step: about a MiB.
  package var backupPages = 256

  package init() {}
}
