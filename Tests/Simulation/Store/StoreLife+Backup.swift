// Backups, while agents go on: their outcome, and that nothing is left of one that failed.

import TwinStore

extension StoreLife {
  func backup(_ store: Store) throws(HistoryFailure) {
    let path = random.pick(Backups.paths)
    let (first, covered, hadFailed) = (world.model.head, world.model.log.count, hasFailed)
    var stepsLeft = random.chance(80) ? random.below(4) : .max
    let report: BackupReport
    do throws(StoreError) {
      report = try waiting { () throws(StoreError) in
        try store.backup(to: path) { _ throws(StoreError) in
          stepsLeft -= 1
          if stepsLeft < 0 { throw .cancelled }
        }
      }
    } catch {
      return try notBackedUp(path, error, store, first...world.model.head, isGivenUp: stepsLeft < 0)
    }
    if world.disk.isCrashed { return doubt(path, first...world.model.head) }
    if hadFailed { throw HistoryFailure("a backup succeeds though the disk has failed") }
    if case .whole = world.backups[path] { throw HistoryFailure("the backup \(path) is overwritten") }
    world.note("\(path) up to \(report.sequence)")
    if report.sequence < first || report.sequence > world.model.head {
      throw HistoryFailure("a backup begun at \(first) is up to \(report.sequence)")
    }
    world.backups[path] = .whole(report.sequence)
    world.model.reached(.synced, covered)
    world.counts.backups += 1
    try checkLeftovers(path)
  }

  private func notBackedUp(
    _ path: String, _ error: StoreError, _ store: Store, _ range: ClosedRange<UInt64>, isGivenUp: Bool
  ) throws(HistoryFailure) {
    if world.disk.isCrashed { return doubt(path, range) }
    switch (error, world.backups[path]) {
    case (.exists(path), .whole), (.exists(path), .doubtful): return
    case (.cancelled, .none) where isGivenUp, (.cancelled, .doubtful) where isGivenUp: break
    // The disk of a backup may be another: it stops no write.
    case (.database(let place, _, _, _), _) where place.hasPrefix(Backups.directory): try judge(error)
    case (.io(let place, _, _), _) where place.hasPrefix(Backups.directory): try judge(error)
    // What cannot be read while it is checked may be called so.
    case (.unsound, _) where diskHasFailed: break
    default: try judge(error, store)
    }
    noteFailure(store)
    if diskHasFailed { return doubt(path, range) }
    if world.disk.content(path) != nil { throw HistoryFailure("\(path) is there after \(error)") }
    world.backups[path] = .none
    try checkLeftovers(path)
  }

  /// It may be there, whole.
  private func doubt(_ path: String, _ range: ClosedRange<UInt64>) {
    switch world.backups[path] {
    case .whole: break
    case .none: world.backups[path] = .doubtful(range)
    case .doubtful(let before):
      world.backups[path] = .doubtful(
        min(before.lowerBound, range.lowerBound)...max(before.upperBound, range.upperBound))
    }
  }

  private func checkLeftovers(_ path: String) throws(HistoryFailure) {
    let left = Backups.leftovers(path, world.disk)
    if !left.isEmpty && !diskHasFailed { throw HistoryFailure("a backup leaves \(left)") }
  }
}
