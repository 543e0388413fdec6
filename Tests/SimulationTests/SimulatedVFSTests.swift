// Several connections of one process, and what SQLite makes of the disk's errors.

import GRDB
import Glibc
import Simulation
import Testing
import TwinStore

@Suite struct SimulatedVFSTests {
  private let disk = SimulatedDisk(seed: 1)
  private let mount: Mount
  private let vfs: SimulatedVFS

  init() throws {
    mount = disk.mount()
    vfs = SimulatedVFS(mount, wallMicros: { 1_750_000_000_000_000 })
  }

  private func open(readonly: Bool = false) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = readonly
    if !readonly {
      configuration.prepareDatabase { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")
      }
    }
    return try DatabaseQueue(path: "file:/db?vfs=\(mount.sqliteVFS ?? "")", configuration: configuration)
  }

  private func count(_ db: GRDB.Database) throws -> Int? { try Int.fetchOne(db, sql: "SELECT count(*) FROM t") }

  @Test func aReaderKeepsItsSnapshotWhileOthersCommitAndCheckpoint() throws {
    let writer = try open()
    try writer.write { try $0.execute(sql: "CREATE TABLE t (x); INSERT INTO t VALUES (1)") }
    let reader = try open(readonly: true)
    try reader.read { db in
      #expect(try count(db) == 1)
      for value in 2...50 {
        try writer.write { try $0.execute(sql: "INSERT INTO t VALUES (?)", arguments: [value]) }
      }
      let (all, copied) = try writer.writeWithoutTransaction { db in
        let row = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(PASSIVE)")
        return (row?[1] as Int?, row?[2] as Int?)
      }
      // What the reader does not see yet must stay in the log.
      #expect(try #require(copied) < #require(all))
      #expect(try count(db) == 1)
    }
    #expect(try reader.read(count) == 50)
    try reader.close()
    try writer.close()
    #expect(try mount.list("/") == ["db"])
  }

  @Test func onlyOneWriterAtATime() throws {
    let (one, other) = (try open(), try open())
    try one.write { try $0.execute(sql: "CREATE TABLE t (x)") }
    try one.inTransaction(.immediate) { _ in
      let refusal = #expect(throws: DatabaseError.self) {
        try other.write { try $0.execute(sql: "INSERT INTO t VALUES (1)") }
      }
      #expect(refusal?.resultCode == .SQLITE_BUSY)
      return .commit
    }
    try other.write { try $0.execute(sql: "INSERT INTO t VALUES (1)") }
    #expect(try one.read(count) == 1)
  }

  @Test(arguments: [
    (Operation.write, EIO, ResultCode.SQLITE_IOERR_WRITE), (.sync, EIO, .SQLITE_IOERR_FSYNC),
    (.write, ENOSPC, .SQLITE_FULL), (.read, EIO, .SQLITE_IOERR_READ),
  ])
  func errorsOfTheDiskHaveSQLitesNames(operation: Operation, errno: CInt, code: ResultCode) throws {
    let database = try open()
    try database.write { try $0.execute(sql: "CREATE TABLE t (x)") }
    try database.close()
    let again = try open()
    disk.fail(Fault(at: disk.operations + 1, errno: errno, lasts: true, only: operation))
    let failure = #expect(throws: DatabaseError.self) {
      try again.write { try $0.execute(sql: "INSERT INTO t VALUES (1)") }
    }
    #expect(failure?.extendedResultCode == code)
  }

  @Test func timeAndChanceComeFromTheCaller() throws {
    let database = try open()
    let time = try database.read { try String.fetchOne($0, sql: "SELECT datetime('now')") }
    #expect(time == "2025-06-15 15:06:40")
  }
}
