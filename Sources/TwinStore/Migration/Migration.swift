// From format 2, which version 0.1 wrote, to format 3: a twin's numbers, agent and records become one blob, and the
// checkpoint row keeps a count and a digest of every table. Facts and idempotency keys stay as they are.
//
// Promises: one transaction, so that a directory has one format or the other, whenever the process dies. Every row that is
// rewritten is checked first, as is the count of them; the history and all sequences stay. A database with names that are
// reserved now is refused, untouched.

import GRDB
import TwinCore

struct Migration {
  let path: String
  /// Where the journal is; nil = none belongs to the database, as to a backup.
  let journal: (directory: String, fileSystem: any FileSystem)?
  /// Told how many twins have been copied, and of how many.
  var progress: (Int, Int) -> Void = { _, _ in }

  func run(_ db: GRDB.Database) throws {
    guard let (old, twins) = try Format2.checkpoint(db) else {
      throw damage("its checkpoint row is missing or its checksum does not match")
    }
    var row = old
    try refuseReservedNames(db, row)
    try db.execute(
      sql: """
        DROP INDEX IF EXISTS twins_by_name;
        ALTER TABLE twins RENAME TO twins_2;
        DROP TABLE checkpoint;
        \(StoreTable.twins.createTable)
        \(StoreTable.checkpoint.createTable)
        """)
    try copyTwins(db, &row, expected: twins)
    try db.execute(
      sql: """
        DROP TABLE twins_2;
        \(StoreTable.twins.createIndex)
        \(StoreTable.idempotency.createIndex)
        """)
    try row.write(db)
  }

  private func copyTwins(_ db: GRDB.Database, _ row: inout CheckpointRow, expected: TableSum) throws {
    var found = TableSum()
    var factDigest: UInt32 = 0
    var written = TableSum()
    let count = Int(clamping: expected.rowCount)
    progress(0, count)
    try db.each("SELECT \(Format2.twinColumns) FROM twins_2 ORDER BY id") { old in
      let (twin, checksum) = try checked(old)
      found.add(checksum)
      factDigest ^= twin.factDigest
      written.add(try twin.write(db))
      if Int(written.rowCount) % StoreOpening.progressRows == 0 { progress(Int(written.rowCount), count) }
      return true
    }
    if found.rowCount != expected.rowCount {
      throw damage("there are \(found.rowCount) twins, and \(expected.rowCount) were written")
    }
    if found != expected { throw damage("some twins are not those that were written last") }
    row[.twins] = written
    row[.facts].digest = factDigest
  }

  private func checked(_ row: SQLiteRow) throws -> (TwinRow, checksum: UInt32) {
    do {
      guard let found = try Format2.twin(row) else { throw RowFault.checksum }
      return found
    } catch let fault as RowFault {
      throw damage("the twin \(quoted(row.bytes(1))), row \(row.number(0)), is damaged: \(fault.reason)")
    }
  }

  // MARK: Reserved names

  private func refuseReservedNames(_ db: GRDB.Database, _ row: CheckpointRow) throws {
    var reserved = ReservedNames()
    try db.each("SELECT \(Format2.twinColumns) FROM twins ORDER BY id") { old in
      // What cannot be read is reported when it is copied.
      if let (twin, _) = try? Format2.twin(old) { reserved.note(twin.image) }
      return true
    }
    if let journal {
      let folder = JournalFolder(dataDirectory: journal.directory, fileSystem: journal.fileSystem)
      _ = try Journal.recover(
        dataDirectory: journal.directory, fileSystem: journal.fileSystem, appliedSequence: row.appliedSequence,
        isExpected: row.expectsJournal
      ) { (record) throws(StoreError) in
        if record.sequence <= row.appliedSequence { return }
        do throws(RecordFault) {
          for change in try CommitPayload(decoding: record.payload, sequence: record.sequence).changes {
            reserved.note(change)
          }
        } catch {
          throw folder.damage(
            JournalFault(
              segment: record.segment, offset: record.offset, reason: error.reason, keeps: record.sequence - 1))
        }
      }
    }
    if reserved.count > 0 {
      throw StoreError.reservedNames(path: path, names: reserved.examples, count: reserved.count)
    }
  }

  private func damage(_ reason: String) -> StoreError { .notMigrated(path: path, reason: reason) }
}

/// Names of twins that are there, or of attributes that they have, and that only twind's own services may write.
private struct ReservedNames {
  private static let examplesMax = 5

  private(set) var examples: [String] = []
  private(set) var count = 0
  private var seen: Set<String> = []

  /// - Parameter image: a twin, or the change of one.
  mutating func note(_ image: TwinImage) {
    if image.isDeleted { return }
    if image.name.isReserved { add("the twin \(image.name)") }
    for entry in [image.entries, image.pendingEntries].joined() {
      let attribute = image.attribute(entry)
      if !attribute.isRemoval, isReserved(attribute: attribute.name) {
        add("the attribute \(quoted(attribute.name)) of \(image.name)")
      }
    }
  }

  private mutating func add(_ name: String) {
    if examples.count < Self.examplesMax && seen.insert(name).inserted { examples.append(name) }
    count += 1
  }
}
