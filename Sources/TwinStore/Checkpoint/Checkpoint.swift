// A checkpoint: capture under the commit lock, sync the journal, write in slices, settle or give back.
//
// Promises: what is written is everything up to one sequence and nothing after it, in transactions of bounded size.
// None commits before the journal is synced through that sequence (the write-ahead rule). The last one states the
// sequence; until it is there a recovery replays from the checkpoint before, and passes over what is newer in the
// database. Segments of the journal are deleted only when SQLite has copied and synced all of it into its file. When
// a transaction fails nothing is forgotten. One checkpoint at a time; a second caller waits.

import Synchronization
import Threads
import TwinCore

extension Store {
  /// It is time for a checkpoint, whatever the interval: the journal, the feed or memory fills up.
  package var wantsCheckpoint: Bool {
    section.journalBytesSinceCheckpoint >= options.checkpointJournalBytes
      || cache.unwrittenBytes > cache.byteCountMax / 4 || section.wantsKeysWritten
      || feed.oldest > section.appliedSequence.load(ordering: .relaxed)
  }

  /// Writes everything that the database does not have. Blocks for as long as the disk takes.
  package func checkpoint() throws(StoreError) -> CheckpointReport {
    try checkpoints.running.withLock { () throws(StoreError) in
      if checkpoints.isClosed { throw .closed }
      return try runCheckpoint(isLast: false)
    }
  }

  /// Refuses further commits, writes everything, marks the stop as clean and closes the database. When it fails,
  /// the next start treats this stop as a crash.
  package func close() throws(StoreError) {
    try checkpoints.running.withLock { () throws(StoreError) in
      if checkpoints.isClosed { return }
      checkpoints.isClosed = true
      defer { directoryLock.unlock() }
      let last = Result { () throws(StoreError) in try runCheckpoint(isLast: true) }
      let isClean = (try? last.get()) != nil
      let journal = Result { () throws(StoreError) in try section.closeJournal(isClean: isClean) }
      section.failWaiters()
      try database.close(hasFailed: !isClean)
      _ = try last.get()
      try journal.get()
    }
  }

  func runCheckpoint(isLast: Bool) throws(StoreError) -> CheckpointReport {
    try section.checkFiles()
    let start = clock.monotonicNanos()
    let capture = section.capture(isLast: isLast)
    do throws(StoreError) {
      try section.sync()
      try write(capture)
    } catch {
      section.giveBack(capture)
      note(failed: error)
      throw error
    }
    section.settle(capture)
    factCount.store(Int(clamping: database.checkpointRow[.facts].rowCount), ordering: .relaxed)
    let report = CheckpointReport(
      sequence: capture.sequence, twinCount: capture.imageCount,
      durationMicros: Int64((clock.monotonicNanos() &- start) / 1_000), endedAt: clock.wallMicros())
    checkpoints.note(report)
    do throws(StoreError) {
      if !isLast {
        try trim()
        try dropExpiredKeys()
      }
      if try database.checkpointLog() {
        // SQLite passes over it when this fails.
        try fileSystem.named(directory, "sync the directory") { () throws(Errno) in
          try fileSystem.syncDirectory(directory)
        }
        try section.deleteSegments(before: capture.newestSegment)
      }
    } catch {
      note(failed: error)
      throw error
    }
    return report
  }

  private func note(failed error: StoreError) {
    checkpoints.note(error)
    section.lock.withLock { section.checkpointError = error }
    damagedTwins.note(error)
    section.note(error)
  }

  private func write(_ capture: CommitSection.Capture) throws(StoreError) {
    let isNeeded =
      capture.imageCount > 0 || !capture.keys.isEmpty || capture.sequence != database.checkpointRow.appliedSequence
      || capture.jumps != database.checkpointRow.jumps
    guard isNeeded else { return }
    checkpoints.begin(rows: capture.imageCount)
    defer { checkpoints.end() }
    var slice = CheckpointSlice(options.slices)
    var sliceCount = 0
    // In the order of the commits: facts are then appended, and what was written together lies together.
    for image in capture.images.joined().sorted(by: { $0.revision < $1.revision }) {
      slice.take(image, of: cache.shard(of: image.name))
      guard slice.isFull else { continue }
      try write(&slice, at: capture.recordedAt)
      sliceCount += 1
      if sliceCount % options.slices.perCopy == 0 { _ = try database.checkpointLog() }
    }
    if !slice.twins.isEmpty { try write(&slice, at: capture.recordedAt) }
    try writeKeys(of: capture)
  }

  private func write(_ slice: inout CheckpointSlice, at recordedAt: Int64) throws(StoreError) {
    // So that no time goes back behind what these were derived for.
    try database.write(slice.twins[...]) { $0.recordedAt = max($0.recordedAt, recordedAt) }
    checkpoints.advance(rows: slice.twins.count)
    slice = CheckpointSlice(options.slices)
  }
}

/// The twins of one transaction.
private struct CheckpointSlice {
  private let limits: SliceLimits
  private(set) var twins: [TwinToWrite] = []
  private var byteCount = 0

  init(_ limits: SliceLimits) { self.limits = limits }

  var isFull: Bool { twins.count >= limits.twinsMax || byteCount >= limits.bytesMax }

  mutating func take(_ image: TwinImage, of shard: Shard) {
    let changes = shard.lock.withLock { shard.unwritten.changes(of: image) }
    twins.append(TwinToWrite(image: image, changes: changes))
    byteCount += changes.reduce(image.byteCount) { $0 + $1.byteCount }
  }
}
