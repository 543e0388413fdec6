// What somebody should look at although reads, and most writes, are served: `twinctl health` shows it as DEGRADED, and
// the daemon logs each once.

import Threads
import TwinCore

/// Twins that were found to be damaged since the start.
final class DamagedTwins: @unchecked Sendable {
  private static let countMax = 1_000

  private let lock = Lock()
  private var first: StoreError?
  private var rows: Set<Int64> = []

  /// Remembers the twin when that is what the error is about.
  func note(_ error: StoreError) {
    guard case .damagedTwin(_, let row, _, _) = error else { return }
    lock.withLock {
      if rows.count < Self.countMax { rows.insert(row) }
      if first == nil { first = error }
    }
  }

  var trouble: String? {
    lock.withLock {
      guard let first else { return nil }
      return rows.count == 1
        ? "\(first)" : "\(rows.count) twins are damaged; `twind verify` lists them all. The first: \(first)"
    }
  }
}

extension Store {
  /// What is wrong with the system's clock, as far as can be seen.
  package var clockTrouble: ClockTrouble? { clock.trouble }

  /// One sentence or more for each; none when all is well. Why writes are refused until a restart is in `failure`.
  package var troubles: [String] {
    var troubles: [String] = []
    if let shortage = section.lock.withLock({ section.shortage }) { troubles.append("\(shortage)") }
    if let error = checkpoints.summary.error { troubles.append("the last checkpoint failed: \(error)") }
    if let trouble = damagedTwins.trouble { troubles.append(trouble) }
    if let trouble = clockTrouble {
      let remedy = "; if it was wrong then, stop twind and run `twind recover --data-dir \(directory) --reset-clock`"
      troubles.append(trouble.description + (trouble == .behind ? remedy : ""))
    }
    return troubles
  }
}
