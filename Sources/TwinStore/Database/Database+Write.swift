// Writing: slices of a checkpoint, each one transaction, and SQLite's own checkpoint of its write-ahead log.
//
// Promises: a twin's row and its facts go in one transaction, the checkpoint row with its counts and digests in the
// same. A slice that fails leaves nothing, here and on disk; one that is written again changes nothing.

import Foundation
import GRDB
import TwinCore

/// A twin to be written, with the changes since it was written last, oldest first.
struct TwinToWrite: Sendable {
  let image: TwinImage
  let changes: [TwinImage]
  /// From when on all its facts are there; nil = as the database has it.
  var factsFrom: Int64? = nil
}

extension Database {
  /// Writes twins, whole or not at all, and changes the checkpoint row as `alter` says.
  func write(_ twins: ArraySlice<TwinToWrite>, _ alter: (inout CheckpointRow) -> Void = { _ in }) throws(StoreError) {
    try transaction { db, row in
      for twin in twins { try write(twin, db, &row) }
      alter(&row)
    }
  }

  /// Whole or not at all, the checkpoint row with it.
  func transaction(_ body: (GRDB.Database, inout CheckpointRow) throws -> Void) throws(StoreError) {
    let nextID = nextTwinID
    do throws(StoreError) {
      checkpointRow = try Database.mapped(path, "write") { () throws in
        try writer.write { db in
          var row = checkpointRow
          try body(db, &row)
          if row != checkpointRow { try row.write(db) }
          return row
        }
      }
    } catch {
      nextTwinID = nextID
      throw error
    }
  }

  private func write(_ twin: TwinToWrite, _ db: GRDB.Database, _ row: inout CheckpointRow) throws {
    let find = try db.cachedStatement(sql: "SELECT \(StoreTable.twins.columnList) FROM twins WHERE name = ?")
    let found = try twin.image.name.bytes.withData { name in try Row.fetchOne(find, arguments: [name]).map(checked) }
    if let found, found.image.revision >= twin.image.revision { return }
    var next = TwinRow(id: found?.id ?? nextTwinID, image: twin.image)
    if let found {
      next.factsFrom = found.factsFrom
      next.factCount = found.factCount
      next.factDigest = found.factDigest
    } else {
      nextTwinID += 1
    }
    if let from = twin.factsFrom { next.factsFrom = from }
    for change in twin.changes where change.revision > found?.image.revision ?? 0 {
      for (index, entry) in change.entries.enumerated() {
        let checksum = try FactRow.insert(
          db, id: FactRow.id(sequence: change.revision, ordinal: change.firstOrdinal + index), twin: next.id,
          isCurrent: !entry.flags.contains(.notCurrent), isCreation: change.isCreation, record: change.message(entry))
        next.factDigest ^= checksum
        row[.facts].add(checksum)
      }
      next.factCount += Int64(change.entryCount)
    }
    if let found {
      try found.replace(next, db, &row[.twins])
    } else {
      row[.twins].add(try next.write(db))
    }
    if next.factCount > grownFactsMin { grown.append(next.id) }
  }

  /// Copies the write-ahead log into the file as far as readers let it, and syncs it. True: all of it.
  func checkpointLog() throws(StoreError) -> Bool {
    try Database.mapped(path, "checkpoint") { () throws in
      try writer.writeWithoutTransaction { db in
        let (frames, copied) = try db.checkpoint(.passive)
        return frames == copied
      }
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Lends the bytes as Data, without copying them.
  func withData<R>(_ body: (Data) throws -> R) rethrows -> R {
    guard let start = baseAddress else { return try body(Data()) }
    return try body(Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: count, deallocator: .none))
  }
}
