// Replays a journal on top of a database that is only read, commit by commit, and compares what both have.
//
// Promises: nothing is written; memory holds the twins that the journal changed, as a start would.

import GRDB
import TwinCore

struct ReplayCheck {
  private static let progressCommits = 1_000

  private let database: DatabaseSnapshot
  private let folder: JournalFolder
  private let row: CheckpointRow
  private let progress: (CheckProgress) throws -> Void
  private var images: [[UInt8]: TwinImage] = [:]
  private(set) var commitCount = 0

  init(
    _ database: DatabaseSnapshot, _ folder: JournalFolder, _ row: CheckpointRow,
    progress: @escaping (CheckProgress) throws -> Void
  ) {
    self.database = database
    self.folder = folder
    self.row = row
    self.progress = progress
  }

  mutating func take(_ record: borrowing JournalRecord, _ report: inout CheckReport) throws(StoreError) {
    let path = folder.path(of: record.segment)
    let place = "byte \(record.offset)"
    let fault = JournalFault(
      segment: record.segment, offset: record.offset, reason: "", keeps: max(row.appliedSequence, record.sequence - 1))
    let remedy = folder.remedy(fault)
    let commit: CommitPayload
    do throws(RecordFault) {
      commit = try CommitPayload(decoding: record.payload, sequence: record.sequence)
    } catch {
      let reason = "the commit \(record.sequence) cannot be read at its byte \(error.offset): \(error.reason)"
      return report.add(.replay, path, place, reason, remedy: remedy)
    }
    if !commit.changes.isEmpty { commitCount += 1 }
    report.count(.replay, commit.changes.isEmpty ? 0 : 1)
    if commitCount % Self.progressCommits == 0 {
      try Database.mapped(path, "check") { () throws in
        try progress(CheckProgress(step: "replay", done: commitCount, total: 0))
      }
    }
    for change in commit.changes {
      guard let reason = try take(change) else { continue }
      report.add(
        .replay, path, place, "commit \(record.sequence), \(quoted(change.name.bytes)): \(reason)", remedy: remedy)
    }
  }

  /// Applies one twin's change, or finds it in the database. Returns what is wrong with it.
  private mutating func take(_ change: TwinImage) throws(StoreError) -> String? {
    let name = change.name.array
    let before: TwinImage?
    if let known = images[name] { before = known } else { before = try stored(change.name) }
    if let before, before.revision >= change.revision { return try compare(change) }
    // Older ones may have been given up.
    if before == nil && change.revision <= row.resumableFrom { return nil }
    if change.revision <= row.appliedSequence {
      return "the database should have it, and has the twin at revision \(before?.revision ?? 0)"
    }
    if let before, before.recordedAt > change.recordedAt { return "it was recorded before the commit before it" }
    images[name] = apply(change, to: before)
    return nil
  }

  /// Nil when it never existed. A row that cannot be read was reported with its table.
  private func stored(_ name: TwinName) throws(StoreError) -> TwinImage? {
    try database.read { db in
      let find = try db.cachedStatement(sql: "SELECT \(StoreTable.twins.columnList) FROM twins WHERE name = ?")
      return try name.bytes.withData { name in
        try Row.fetchOne(find, arguments: [name]).flatMap { try? TwinRow($0).image }
      }
    }
  }

  /// The facts of a change that the database has already.
  private func compare(_ change: TwinImage) throws(StoreError) -> String? {
    // Older ones may have been dropped.
    if change.revision <= row.resumableFrom { return nil }
    return try database.read { db in
      let find = try db.cachedStatement(sql: "SELECT \(StoreTable.facts.columnList) FROM facts WHERE id = ?")
      for (index, entry) in change.entries.enumerated() {
        let id = FactRow.id(sequence: change.revision, ordinal: change.firstOrdinal + index)
        guard let row = try Row.fetchOne(find, arguments: [id]) else { return "fact \(id) is not in the database" }
        guard let fact = try? FactRow(row) else { continue }
        let isSame = fact.fact.message.withUnsafeBytes { equalBytes($0, change.message(entry)) }
        if !isSame { return "fact \(id) is another one in the database" }
      }
      return nil
    }
  }
}
