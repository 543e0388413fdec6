// The steps of a process: what its runner does, and what agents ask of it.

import TwinCore
import TwinStore

extension StoreLife {
  func step(_ store: Store) throws(HistoryFailure) {
    nested = { [unowned store] (life) throws(HistoryFailure) in try life.meanwhile(store) }
    defer { nested = nil }
    world.letTimePass(&random)
    try world.look(at: store)
    if store.wantsCheckpoint && random.chance(300) { return try checkpoint(store) }
    switch random.below(100) {
    case 0..<44: try write(store)
    case 44..<46: try backup(store)
    case 46..<58: try read(store)
    case 58..<61: try readBatch(store)
    case 61..<66: try readHistory(store)
    case 66..<68: try list(store)
    case 68..<77: try sync(store)
    case 77..<82: try flush(store)
    case 82..<87: try prepare(store)
    case 87..<90: try checkpoint(store)
    default: _ = try random.pick(world.watchers).turn(self, store)
    }
  }

  /// Agents while the runner waits for the disk.
  private func meanwhile(_ store: Store) throws(HistoryFailure) {
    // A read that fails waits for the commit under way, to stop those behind it.
    if store.isCommitting { return }
    switch random.below(10) {
    case 0..<6: try write(store, isNested: true)
    case 6..<8: try read(store)
    case 8: try list(store)
    default: try readHistory(store, isNested: true)
    }
  }

  /// A checkpoint, which may drop facts, while somebody reads them.
  func reading<R>(_ store: Store, _ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    let others = nested
    nested = { [unowned store] (life) throws(HistoryFailure) in
      life.nested = nil
      try life.checkpoint(store)
    }
    defer { nested = others }
    return try waiting(body)
  }

  func sync(_ store: Store) throws(HistoryFailure) {
    let covered = world.model.log.count
    if try run(store, { (store) throws(StoreError) in try store.sync() }) { world.model.reached(.synced, covered) }
  }

  func flush(_ store: Store) throws(HistoryFailure) {
    let covered = world.model.log.count
    if try run(store, { (store) throws(StoreError) in try store.flush() }) { world.model.reached(.journaled, covered) }
  }

  func prepare(_ store: Store) throws(HistoryFailure) {
    _ = try run(store) { (store) throws(StoreError) in try store.prepareSegment() }
  }

  func checkpoint(_ store: Store) throws(HistoryFailure) {
    let (covered, head) = (world.model.log.count, world.model.head)
    let segments = store.stats.journal.segmentCount
    var sequence: UInt64 = 0
    guard try run(store, { (store) throws(StoreError) in sequence = try store.checkpoint().sequence }) else { return }
    world.model.reached(.synced, covered)
    world.counts.checkpoints += 1
    if sequence != head { throw HistoryFailure("a checkpoint begun at \(head) ends at \(sequence)") }
    if store.stats.journal.segmentCount < segments && random.chance(200) { try checkDeletion(sequence) }
  }

  /// Segments are gone: what was in them is in the database's own file.
  private func checkDeletion(_ sequence: UInt64) throws(HistoryFailure) {
    guard let content = world.disk.durableContent(Self.directory + "/twind.db") else {
      throw HistoryFailure("segments were deleted and there is no database")
    }
    let applied: Int64?
    do {
      applied = try DatabaseAlone.appliedSequence(content)
    } catch {
      throw HistoryFailure("the database file alone cannot be read after segments were deleted: \(error)")
    }
    if applied ?? 0 < Int64(sequence) {
      throw HistoryFailure("segments were deleted up to \(sequence), and the database file holds \(applied ?? 0)")
    }
  }

  /// Whether it was done.
  private func run(_ store: Store, _ body: (Store) throws(StoreError) -> Void) throws(HistoryFailure) -> Bool {
    let hadFailed = hasFailed
    do throws(StoreError) {
      try waiting { () throws(StoreError) in try body(store) }
    } catch {
      try judge(error, store)
      return false
    }
    if world.disk.isCrashed { return false }
    if hadFailed { throw HistoryFailure("a step succeeds though the disk has failed") }
    return true
  }

  /// When everything is synced a watch sees all of it.
  func followToTheEnd(_ store: Store) throws(HistoryFailure) {
    try sync(store)
    for watcher in world.watchers where !world.disk.isCrashed && !hasFailed && !diskHasFailed {
      while try watcher.turn(self, store) {}
      // A watch whose commits were lost begins anew.
      while try watcher.turn(self, store) {}
      if !world.disk.isCrashed && !diskHasFailed && watcher.position != world.model.head {
        throw HistoryFailure("a watch stays at \(watcher.position) and the last commit is \(world.model.head)")
      }
    }
  }
}
