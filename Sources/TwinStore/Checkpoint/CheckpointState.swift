// What is remembered of checkpoints, between them and while one runs.

import Threads

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

final class CheckpointState: @unchecked Sendable {
  struct Summary {
    var completed = 0
    var last: CheckpointReport?
    var error: StoreError?
    /// Of the one that runs; 0 = none runs.
    var rowsDone = 0
    var rowsTotal = 0
  }

  /// Held while a checkpoint or a backup runs.
  let running = Lock()
  /// The store is closed; under `running`.
  var isClosed = false
  private let lock = Lock()
  private var state = Summary()

  var summary: Summary { lock.withLock { state } }

  func begin(rows: Int) { lock.withLock { state.rowsTotal = rows } }

  func advance(rows: Int) { lock.withLock { state.rowsDone += rows } }

  func end() {
    lock.withLock {
      state.rowsDone = 0
      state.rowsTotal = 0
    }
  }

  func note(_ report: CheckpointReport) {
    lock.withLock {
      state.completed += 1
      state.last = report
      state.error = nil
    }
  }

  func note(_ failure: StoreError) { lock.withLock { state.error = failure } }
}
