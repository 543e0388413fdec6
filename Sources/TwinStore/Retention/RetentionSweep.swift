// Retention's part of a checkpoint: the twins that grew, then some of the others in the order of their numbers.
//
// Promises: a checkpoint takes a bounded time longer, in transactions of bounded size; in time every twin is looked at.

import GRDB
import Synchronization
import TwinCore

/// The times that a round goes by.
struct TrimTimes {
  let present: Int64
  /// What facts are old by; nil = the clock is not to be believed.
  let byAge: Int64?
}

/// Where the last round ended.
final class RetentionSweep: @unchecked Sendable {
  var lastTwin: Int64 = 0
}

extension Store {
  /// Drops facts that retention does not keep. Under `checkpoints.running`, after a checkpoint is written.
  func trim() throws(StoreError) {
    let retention = options.retention
    if retention.keepsAll { return }
    // What the checkpoints write from here on is noted when it is large.
    database.grownFactsMin = retention.newestMin
    let limits = options.slices
    let now = TrimTimes(present: self.now, byAge: clock.retentionMicros)
    clock.reach(now.present)
    var grown = database.grown[...]
    database.grown = []
    for _ in 0..<limits.trimsMax {
      let isGrown = !grown.isEmpty
      let twins = isGrown ? Array(grown.prefix(limits.trimTwinsMax)) : try nextTwins()
      if twins.isEmpty { break }
      let count = try trim(twins, retention, now: now, isGrown: isGrown)
      if isGrown {
        grown = grown.dropFirst(count)
      } else {
        retentionSweep.lastTwin = twins[count - 1]
        // All have had their turn: from the first one on, next time.
        if count == twins.count && count < limits.trimTwinsMax {
          retentionSweep.lastTwin = 0
          break
        }
      }
    }
    factCount.store(Int(clamping: database.checkpointRow[.facts].rowCount), ordering: .relaxed)
  }

  /// Numbers of the twins whose turn it is.
  private func nextTwins() throws(StoreError) -> [Int64] {
    let last = retentionSweep.lastTwin
    let twins = try Database.mapped(database.path, "read") { () throws in
      try database.writer.read { db in
        var found: [Int64] = []
        try db.each("SELECT id, body FROM twins WHERE id > \(last) ORDER BY id") { row in
          // One that cannot be read is noted when it is trimmed.
          if TwinBody(row.bytes(1)).map({ $0.factCount > 1 }) ?? true { found.append(row.number(0)) }
          return found.count < options.slices.trimTwinsMax
        }
        return found
      }
    }
    if twins.isEmpty { retentionSweep.lastTwin = 0 }
    return twins
  }

  /// Trims the first of these twins in one transaction. Returns how many that were, at least one.
  private func trim(
    _ twins: [Int64], _ retention: Retention, now: TrimTimes, isGrown: Bool
  ) throws(StoreError) -> Int {
    var (done, facts) = (0, 0)
    try database.transaction { db, row in
      while done < twins.count, facts < options.slices.trimFactsMax {
        do {
          facts += try database.trim(
            twins[done], retention, now: now, isGrown: isGrown, factsMax: options.slices.trimFactsPerTwinMax, db, &row)
        } catch let error as StoreError {
          // One that cannot be read keeps all that it has, and the others are trimmed.
          guard case .damagedTwin = error else { throw error }
          damagedTwins.note(error)
        }
        done += 1
      }
      // Before anyone can find them missing.
      resumableFrom.store(row.resumableFrom, ordering: .releasing)
    }
    return done
  }
}
