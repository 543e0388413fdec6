// Takes back the times of a clock that was ahead, looked at before it is done: `twind recover --reset-clock`.
//
// While the clock was ahead, and since, commits were recorded in the future. They are recorded anew, in their order and a
// microsecond after one another, behind the last commit before them; a validity that began with its recording does so
// still. Times that somebody stated stay as they are.
//
// Promises: holds the directory's lock from the look to the deed, but for the moment in which the store is opened and
// closed to bring the journal into the database. The deed is one transaction; the journal, which has the old times and
// nothing else any more, goes after it. Watches begin anew afterwards.

import Foundation
import GRDB
import TwinCore

package final class ClockReset {
  /// Commits recorded after now, and the twins that they are about.
  package private(set) var commitCount = 0
  package private(set) var twinCount = 0
  /// The latest of their times, microseconds since the epoch.
  package private(set) var latest: Int64 = .min
  /// By the system's clock, microseconds since the epoch.
  package let now: Int64

  private let directory: String
  private let fileSystem: any FileSystem
  private let scratch: String
  private var lock: (any FileLock)?

  private var path: String { directory + "/twind.db" }

  /// - Throws: `damaged` and `damagedTwin` when something cannot be read, `inUse`, `missing`, `newerFormat`, `io`.
  package init(
    directory: String, clock: any Clock = SystemClock(), fileSystem: any FileSystem = PosixFileSystem(), scratch: String
  ) throws(StoreError) {
    lock = try StoreCheck.locked(directory, fileSystem)
    now = clock.wallMicros()
    self.directory = directory
    self.fileSystem = fileSystem
    self.scratch = scratch
    try look()
  }

  deinit { lock?.unlock() }

  /// Whether there is anything to do.
  package var isNeeded: Bool { latest > now }

  private func look() throws(StoreError) {
    let database = try DatabaseSnapshot(path, fileSystem, scratch: scratch) { _ in }
    var commits: Set<UInt64> = []
    var twins: Set<[UInt8]> = []
    let row = try database.read { (db) throws -> CheckpointRow in
      guard let row = try CheckpointRow.read(db) else {
        throw StoreError.corrupt(
          path: self.path, table: "checkpoint", row: "1", reason: "it is missing or its checksum does not fit")
      }
      latest = row.recordedAt
      let rows = try Row.fetchCursor(
        db, sql: "SELECT f.id, f.record, t.name FROM facts f JOIN twins t ON t.id = f.twin")
      while let fact = try rows.next() {
        let recordedAt = try bytes(fact, 1) { try AttributeRecord($0).recordedAt }
        guard recordedAt > now, let id = Int64.fromDatabaseValue(fact[0]) else { continue }
        commits.insert(UInt64(id) / UInt64(Limits.factsPerSequenceMax))
        twins.insert(try bytes(fact, 2) { [UInt8]($0) })
      }
      return row
    }
    let folder = JournalFolder(dataDirectory: directory, fileSystem: fileSystem)
    _ = try Journal.recover(
      dataDirectory: directory, fileSystem: fileSystem, appliedSequence: row.appliedSequence,
      isExpected: row.expectsJournal
    ) { (record) throws(StoreError) in
      do throws(RecordFault) {
        let commit = try CommitPayload(decoding: record.payload, sequence: record.sequence)
        latest = max(latest, commit.recordedAt)
        guard commit.recordedAt > now, record.sequence > row.appliedSequence else { return }
        commits.insert(record.sequence)
        for change in commit.changes { twins.insert(change.name.array) }
      } catch {
        throw folder.damage(
          JournalFault(
            segment: record.segment, offset: record.offset, reason: error.reason, keeps: record.sequence - 1))
      }
    }
    commitCount = commits.count
    twinCount = twins.count
  }

  /// Does it.
  package func run() throws(StoreError) {
    lock?.unlock()
    lock = nil
    var options = Store.Options()
    options.allowsSharedDirectory = true
    try Store(directory: directory, options: options, fileSystem: fileSystem).close()
    lock = try StoreCheck.locked(directory, fileSystem)
    let database = try Database(path: path, fileSystem: fileSystem)
    try database.loadCheckpointRow()
    do throws(StoreError) {
      try database.transaction { db, row in
        var times = NewTimes(now: now)
        try times.rewriteFacts(database, db, &row)
        try times.rewriteTwins(database, db, &row)
        try times.rewriteKeys(database, db, &row)
        row.recordedAt = times.last
        row.resumableFrom = row.appliedSequence
        row.expectsJournal = false
      }
      _ = try database.checkpointLog()
    } catch {
      try? database.close(hasFailed: true)
      throw error
    }
    try database.close(hasFailed: false)
    let folder = JournalFolder(dataDirectory: directory, fileSystem: fileSystem)
    for number in try folder.numbers() { try folder.remove(folder.path(of: number)) }
    try folder.sync()
  }

  /// Checks the whole directory as it is now.
  package func check(progress: (CheckProgress) -> Void = { _ in }) throws(StoreError) -> CheckReport {
    try StoreCheck.runLocked(directory: directory, fileSystem: fileSystem, scratch: scratch, progress: progress)
  }
}

/// The times that take the place of those after now.
private struct NewTimes {
  let now: Int64
  /// The last time given, or that of the last commit before those.
  private(set) var last = Int64.min
  private var lastSequence: UInt64 = 0
  private var twins: Set<Int64> = []

  init(now: Int64) { self.now = now }

  mutating func rewriteFacts(_ database: Database, _ db: GRDB.Database, _ checkpoint: inout CheckpointRow) throws {
    let select = "SELECT \(StoreTable.facts.columnList) FROM facts ORDER BY id"
    var found: [FactRow] = []
    // In the order of the commits, in which their times rise: what is after now comes last.
    let rows = try Row.fetchCursor(db, sql: select)
    while let row = try rows.next() {
      let fact = try database.checkedFact(row)
      if fact.fact.recordedAt > now { found.append(fact) } else { last = max(last, fact.fact.recordedAt) }
    }
    // Without a commit before them they end now.
    if last == .min { last = now - Int64(found.count) }
    for fact in found {
      if fact.fact.sequence != lastSequence { last += 1 }
      lastSequence = fact.fact.sequence
      let record = try fact.fact.message.withUnsafeBytes { try AttributeRecord($0).rerecorded(at: last) }
      let id = FactRow.id(sequence: fact.fact.sequence, ordinal: Int(fact.fact.ordinal))
      try db.cachedStatement(sql: "DELETE FROM facts WHERE id = ?").execute(arguments: [id])
      let checksum = try record.withUnsafeBytes {
        try FactRow.insert(
          db, id: id, twin: fact.twin, isCurrent: fact.isCurrent, isCreation: fact.isCreation, record: $0)
      }
      checkpoint[.facts].replace(fact.checksum, with: checksum)
      twins.insert(fact.twin)
    }
  }

  /// Those whose facts were, and those without facts whose own times are after now.
  func rewriteTwins(_ database: Database, _ db: GRDB.Database, _ checkpoint: inout CheckpointRow) throws {
    let select = "SELECT \(StoreTable.twins.columnList) FROM twins WHERE id = ?"
    var late: Set<Int64> = []
    try db.each("SELECT id, body FROM twins") { row in
      if let body = TwinBody(row.bytes(1)), max(body.recordedAt, body.factsFrom) > now { late.insert(row.number(0)) }
      return true
    }
    for id in twins.union(late).sorted() {
      guard let row = try Row.fetchOne(db, sql: select, arguments: [id]).map(database.checked) else { continue }
      try row.replace(try rewritten(row, database, db, &checkpoint), db, &checkpoint[.twins])
    }
  }

  private func rewritten(
    _ row: TwinRow, _ database: Database, _ db: GRDB.Database, _ checkpoint: inout CheckpointRow
  ) throws -> TwinRow {
    let facts = try Row.fetchAll(
      db, sql: "SELECT \(StoreTable.facts.columnList) FROM facts WHERE twin = ? ORDER BY id", arguments: [row.id]
    ).map(database.checkedFact)
    var (image, digest): (TwinImage?, UInt32) = (nil, 0)
    var start = 0
    while start < facts.count {
      let sequence = facts[start].fact.sequence
      let end = facts[start...].firstIndex { $0.fact.sequence != sequence } ?? facts.count
      let change = try TwinImage.change(
        row.image.name, facts[start..<end].map(\.fact), isCurrent: facts[start..<end].map { _ in true })
      image = apply(change, to: image, forgets: false)
      for (fact, entry) in zip(facts[start..<end], change.entries) {
        let checksum = try replace(fact, isCurrent: !entry.flags.contains(.notCurrent), db)
        checkpoint[.facts].replace(fact.checksum, with: checksum)
        digest ^= checksum
      }
      start = end
    }
    var next = TwinRow(id: row.id, image: try image?.forgetting() ?? Self.rerecorded(row.image, at: last))
    next.factsFrom = min(row.factsFrom, last)
    next.factCount = row.factCount
    next.factDigest = digest
    return next
  }

  /// Whether it counted when it was recorded depends on the time. Returns its checksum.
  private func replace(_ fact: FactRow, isCurrent: Bool, _ db: GRDB.Database) throws -> UInt32 {
    if fact.isCurrent == isCurrent { return fact.checksum }
    let id = FactRow.id(sequence: fact.fact.sequence, ordinal: Int(fact.fact.ordinal))
    try db.cachedStatement(sql: "DELETE FROM facts WHERE id = ?").execute(arguments: [id])
    return try fact.fact.message.withUnsafeBytes {
      try FactRow.insert(db, id: id, twin: fact.twin, isCurrent: isCurrent, isCreation: fact.isCreation, record: $0)
    }
  }

  /// A twin without facts: a deleted one.
  private static func rerecorded(_ image: TwinImage, at time: Int64) throws -> TwinImage {
    try TwinImage.decode(
      name: image.name, agent: image.agent.bytes, revision: image.revision, recordedAt: time,
      isDeleted: image.isDeleted, records: image.records, pending: image.pendingRecords)
  }

  func rewriteKeys(_ database: Database, _ db: GRDB.Database, _ checkpoint: inout CheckpointRow) throws {
    let rows = try Row.fetchAll(
      db, sql: "SELECT \(StoreTable.idempotency.columnList) FROM idempotency WHERE recorded_at > ? ORDER BY id",
      arguments: [now])
    for row in rows {
      guard let (entry, checksum) = KeyRow.entry(row) else {
        throw database.corrupt("idempotency", "\(row[0] as DatabaseValue)", "it cannot be what was written")
      }
      try db.cachedStatement(sql: "DELETE FROM idempotency WHERE id = ?").execute(arguments: [entry.id])
      checkpoint[.idempotency].replace(checksum, with: try KeyRow.insert(db, entry.recorded(at: last)))
    }
  }
}

extension IdempotencyTable.Entry {
  fileprivate func recorded(at time: Int64) -> IdempotencyTable.Entry {
    IdempotencyTable.Entry(id: id, scope: scope, requestHash: requestHash, recordedAt: time, result: result)
  }
}
