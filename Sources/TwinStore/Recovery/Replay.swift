// Replays one commit of the journal after the other, each as of the time that it was recorded at.
//
// Promises: passes over what is in the database already: all commits up to its applied sequence, without a look at their
// twins, and of later ones twin by twin, for a checkpoint that did not come to its end may have written some of a
// commit's twins and not others.

import TwinCore

struct Replay {
  private let folder: JournalFolder
  let database: Database
  let cache: TwinCache
  let keys: IdempotencyTable
  private(set) var liveCount: Int
  private(set) var commitCount = 0
  private(set) var lastRecordedAt = Int64.min

  init(folder: JournalFolder, database: Database, cache: TwinCache, keys: IdempotencyTable, liveCount: Int) {
    self.folder = folder
    self.database = database
    self.cache = cache
    self.keys = keys
    self.liveCount = liveCount
  }

  mutating func take(_ record: borrowing JournalRecord) throws(StoreError) {
    let commit: CommitPayload
    do throws(RecordFault) {
      commit = try CommitPayload(decoding: record.payload, sequence: record.sequence)
    } catch {
      let reason = "the commit \(record.sequence) cannot be read at its byte \(error.offset): \(error.reason)"
      throw folder.damage(
        JournalFault(segment: record.segment, offset: record.offset, reason: reason, keeps: record.sequence - 1))
    }
    lastRecordedAt = max(lastRecordedAt, commit.recordedAt)
    if !commit.changes.isEmpty, record.sequence > database.checkpointRow.appliedSequence {
      commitCount += 1
      for change in commit.changes { try take(change) }
    }
    if let keyed = commit.keyed {
      keys.restore(keyed, recordedAt: commit.recordedAt, applied: database.checkpointRow.appliedSequence)
    }
  }

  private mutating func take(_ change: TwinImage) throws(StoreError) {
    let before = try image(change.name)
    if let before, before.revision >= change.revision { return }
    let forgotten = before?.forgottenNames(in: change) ?? []
    let after = apply(change, to: before, recalling: try removals(of: forgotten, of: change.name))
    cache.put([after], changes: [change])
    liveCount += (after.isDeleted ? 0 : 1) - (before.map { $0.isDeleted ? 0 : 1 } ?? 0)
  }

  /// The twin as it is so far; nil when it never existed.
  private func image(_ name: TwinName) throws(StoreError) -> TwinImage? {
    switch cache.left(name) {
    case .image(let image): return image
    case .absent: return nil
    case .cold: return try database.twin(name)
    }
  }
}
