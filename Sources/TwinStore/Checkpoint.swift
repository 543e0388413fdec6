// A checkpoint: capture under the commit lock, write without it, settle or give back.
//
// Promises: what is written is everything up to one sequence and nothing after it. When the transaction fails
// nothing is forgotten: it is all dirty again. One checkpoint at a time; a second caller waits.

import Threads
import TwinCore

/// What the last checkpoint did.
package struct CheckpointReport: Equatable, Sendable {
  /// Everything up to this sequence is in the database.
  package var sequence: UInt64
  /// Rows of twins written.
  package var twinCount: Int
  package var durationMicros: Int64
  /// When it ended, in microseconds since the epoch.
  package var endedAt: Int64
}

/// What is remembered between checkpoints.
final class CheckpointState: @unchecked Sendable {
  /// Held while a checkpoint runs.
  let running = Lock()
  private let lock = Lock()
  private var completed = 0
  private var last: CheckpointReport?
  private var error: StoreError?
  /// The database is closed; under `running`.
  var isClosed = false

  func note(_ report: CheckpointReport) {
    lock.withLock {
      completed += 1
      last = report
      error = nil
    }
  }

  func note(_ failure: StoreError) { lock.withLock { error = failure } }

  var summary: (completed: Int, last: CheckpointReport?, error: StoreError?) {
    lock.withLock { (completed, last, error) }
  }
}

extension Store {
  /// Half of the sequences in reserve are used up: it is time for a checkpoint.
  package var wantsCheckpoint: Bool { section.wantsCheckpoint.load(ordering: .relaxed) }

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
      _ = try runCheckpoint(isLast: true)
      checkpoints.isClosed = true
      defer { directoryLock.unlock() }
      try database.close()
    }
  }

  private func runCheckpoint(isLast: Bool) throws(StoreError) -> CheckpointReport {
    let start = clock.monotonicNanos()
    let capture = section.capture(isLast: isLast)
    let isNeeded = isLast || capture.imageCount > 0 || !capture.keys.isEmpty
    do throws(StoreError) {
      if isNeeded { try database.write(capture, isCleanStop: isLast) }
    } catch {
      section.giveBack(capture)
      checkpoints.note(error)
      throw error
    }
    section.settle(capture)
    let report = CheckpointReport(
      sequence: capture.sequence, twinCount: capture.imageCount,
      durationMicros: Int64((clock.monotonicNanos() &- start) / 1_000), endedAt: clock.wallMicros())
    checkpoints.note(report)
    do throws(StoreError) {
      if isNeeded { try database.checkpointLog() }
    } catch {
      checkpoints.note(error)
      throw error
    }
    return report
  }
}
