// What a start found on the disk, compared with what must be there.

import TwinCore
import TwinStore

struct Recovered {
  private let store: Store
  private let world: World

  init(_ store: Store, _ world: World) {
    self.store = store
    self.world = world
  }

  func check() throws(HistoryFailure) {
    let report = store.recovery
    if world.stoppedClean && (!report.isClean || report.jump != nil || report.bytesCut > 0) {
      throw HistoryFailure("a clean stop is not found to be clean: \(report)")
    }
    let model = world.model
    let count = try model.count(in: store)
    if count < model.written {
      let first = model.log[count]
      throw HistoryFailure(
        "\(model.written - count) acknowledged writes are lost, the first of them \(first.sequence): "
          + "the last commit is \(store.head)")
    }
    world.recover(count)
    try world.begin(store)
    for name in world.wishes.names { try check(name) }
    let live = model.liveNames.count
    if store.stats.twinCount != live { throw HistoryFailure("\(store.stats.twinCount) twins are counted, not \(live)") }
  }

  private func check(_ name: String) throws(HistoryFailure) {
    do {
      try world.expected.check(store, name)
    } catch let failure as HistoryFailure {
      throw HistoryFailure("after a start: \(failure)")
    } catch {
      // A disk that fails again, or a crash right behind the start.
      if world.disk.isCrashed || world.disk.failures > 0 { return }
      throw HistoryFailure("after a start \(name) cannot be read: \(error)")
    }
  }
}

extension StoreModel {
  /// So many entries of the log are in a store that was just opened.
  func count(in store: Store) throws(HistoryFailure) -> Int {
    var end = 0
    if store.head > 0 {
      guard let found = self.end(of: store.head) else {
        throw HistoryFailure("the last commit is \(store.head), which nobody wrote")
      }
      end = found
    }
    // Behind the last commit there may be writes that changed nothing and whose key is remembered.
    let certain = log[..<end].count { $0.key != nil }
    let keysOnly = log[end...].prefix { !$0.isCommit }.count
    let more = store.stats.idempotencyKeyCount - certain
    if more < 0 || more > keysOnly {
      throw HistoryFailure(
        "\(store.stats.idempotencyKeyCount) keys are remembered, and \(certain) to \(certain + keysOnly) should be")
    }
    return end + more
  }
}
