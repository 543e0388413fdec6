// A watch as a client keeps it: a sequence to resume from, across crashes and restarts.
//
// Promises: sees every commit after its sequence that survives, each once, whole and in order.

import TwinCore
import TwinStore

final class Watcher {
  private let number: Int
  /// Nil = it begins with the next commit.
  private var cursor: UInt64?

  init(number: Int) { self.number = number }

  var position: UInt64 { cursor ?? 0 }

  /// Reads on. False when there is no more yet, or what there is cannot be read.
  func turn(_ life: StoreLife, _ store: Store) throws(HistoryFailure) -> Bool {
    let model = life.world.model
    let after = cursor ?? model.head
    cursor = after
    let survived = after == 0 || model.end(of: after) != nil
    do throws(TwinError) {
      try store.checkResumable(after)
    } catch {
      let isTrimmed = after < store.oldestResumable && life.world.expected.mayLack(store.oldestResumable)
      if survived && !isTrimmed {
        throw HistoryFailure("watch \(number) cannot resume from \(after), which is kept: \(error)")
      }
      if error.code != .outOfRange { throw HistoryFailure("watch \(number) from lost \(after): \(error)") }
      cursor = nil
      return false
    }
    if !survived { throw HistoryFailure("watch \(number) may resume from \(after), which was lost") }
    var commits: [CommitRecord] = []
    if store.commits(after: after, limit: 16, into: &commits) {
      try take(commits, model, level: life.world.options.durability)
      return !commits.isEmpty
    }
    return try readStored(after, life, store)
  }

  private func readStored(_ after: UInt64, _ life: StoreLife, _ store: Store) throws(HistoryFailure) -> Bool {
    let commits: [CommitRecord]
    do throws(StoreError) {
      // One that is wanted may be made by the read itself, and then no other meanwhile.
      let read = { () throws(StoreError) in try store.storedCommits(after: after, atLeast: 8) }
      commits = try store.wantsCheckpoint ? read() : life.reading(store, read)
    } catch {
      try life.judge(error, store)
      return false
    }
    if life.world.disk.isCrashed { return false }
    if (try? store.checkResumable(after)) == nil {
      // What was read may have lost facts meanwhile. The next turn says so.
      return true
    }
    if commits.isEmpty { throw HistoryFailure("watch \(number): the commits after \(after) are nowhere") }
    try take(commits, life.world.model, level: .synced)
    return true
  }

  private func take(_ commits: [CommitRecord], _ model: StoreModel, level: Durability) throws(HistoryFailure) {
    guard let after = cursor else { return }
    var place = after == 0 ? 0 : model.end(of: after) ?? 0
    for commit in commits {
      while place < model.log.count && !model.log[place].isCommit { place += 1 }
      guard place < model.log.count, model.log[place].shows(commit) else {
        throw HistoryFailure(
          "watch \(number) sees commit \(commit.sequence) after \(position), which is not the next one whole")
      }
      place += 1
      cursor = commit.sequence
      model.reached(level, place)
    }
  }
}

extension LogEntry {
  /// Whether a watch was told exactly this.
  fileprivate func shows(_ commit: CommitRecord) -> Bool {
    commit.sequence == sequence && commit.changes.count == changes.count
      && zip(changes, commit.changes).allSatisfy { expected, found in
        found.name.bytes.elementsEqual(expected.name.utf8) && found.isDeleted == expected.image.isDeleted
          && found.records.elementsEqual(expected.image.records)
      }
  }
}
