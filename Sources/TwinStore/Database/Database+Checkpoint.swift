// Writing: a start's new reserve of sequences, and a checkpoint, each in one transaction.

import CTwindProto
import Foundation
import GRDB
import TwinCore

extension Database {
  /// Notes that a run begins: from here on a stop is unclean until the final checkpoint.
  func beginRun(_ sequences: SequenceRange) throws(StoreError) {
    try Database.mapped(path, "write") { () throws in
      try writer.write { db in
        try Database.setMeta(db, sequence: sequences.last, reserve: sequences.reserved, isCleanStop: false)
        try db.execute(sql: "DELETE FROM jumps")
        for jump in sequences.jumps {
          try db.execute(
            sql: "INSERT INTO jumps VALUES (?, ?)",
            arguments: [Int64(jump.lowerBound), Int64(jump.upperBound)])
        }
      }
    }
  }

  /// Writes all that was captured, whole or not at all.
  func write(_ capture: CommitSection.Capture, isCleanStop: Bool) throws(StoreError) {
    try Database.mapped(path, "write") { () throws in
      try writer.write { db in
        try Database.writeTwins(db, capture.images)
        try Database.writeKeys(db, capture.keys)
        try Database.setMeta(
          db, sequence: capture.sequence, reserve: capture.reserve, isCleanStop: isCleanStop)
      }
    }
  }

  /// Copies the write-ahead log into the file, as far as readers let it.
  func checkpointLog() throws(StoreError) {
    try Database.mapped(path, "checkpoint") { () throws in
      try writer.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
      }
    }
  }

  private static func setMeta(
    _ db: GRDB.Database, sequence: UInt64, reserve: UInt64, isCleanStop: Bool
  ) throws {
    let statement = try db.cachedStatement(sql: "UPDATE meta SET value = ? WHERE key = ?")
    try statement.execute(arguments: [Int64(sequence), "sequence"])
    try statement.execute(arguments: [Int64(reserve), "sequence_reserved"])
    try statement.execute(arguments: [isCleanStop ? 1 : 0, "clean_stop"])
  }

  private static func writeTwins(_ db: GRDB.Database, _ images: [[TwinImage]]) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO twins (name, revision, recorded_at, last_agent, deleted, attributes) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET
          revision = excluded.revision, recorded_at = excluded.recorded_at, last_agent = excluded.last_agent,
          deleted = excluded.deleted, attributes = excluded.attributes
        """)
    for image in images.joined() {
      try statement.execute(
        arguments: [
          Data(image.name.bytes), Int64(image.revision), image.recordedAt, Data(image.agent.bytes),
          image.isDeleted, Data(image.records),
        ])
    }
  }

  private static func writeKeys(_ db: GRDB.Database, _ keys: IdempotencyTable.Changes) throws {
    let insert = try db.cachedStatement(sql: "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)")
    for entry in keys.added {
      try insert.execute(
        arguments: [
          entry.id, Data(entry.scope.bytes), Int64(bitPattern: entry.requestHash), entry.recordedAt,
          encoded(entry.result),
        ])
    }
    let delete = try db.cachedStatement(sql: "DELETE FROM idempotency WHERE id = ?")
    for id in keys.dropped { try delete.execute(arguments: [id]) }
  }

  private static func encoded(_ result: CommitResult) -> Data {
    var message = Twind__Store__V1__WriteResult()
    twind__store__v1__write_result__init(&message)
    message.sequence = result.sequence
    message.fact_count = UInt32(result.factCount)
    message.n_revisions = result.revisions.count
    return result.revisions.withUnsafeBufferPointer { revisions in
      message.revisions = UnsafeMutablePointer(mutating: revisions.baseAddress)
      var data = Data(count: twind__store__v1__write_result__get_packed_size(&message))
      data.withUnsafeMutableBytes { bytes in
        _ = twind__store__v1__write_result__pack(&message, bytes.bindMemory(to: UInt8.self).baseAddress)
      }
      return data
    }
  }
}
