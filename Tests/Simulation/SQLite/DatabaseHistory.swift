// A history of SQLite alone on a simulated disk: it proves the disk and the VFS before anything is built on them.
//
// Promises checked after each crash: a transaction whose commit returned is there; the last one, if it was cut short,
// is there whole or not at all; nothing else has changed; SQLite's integrity check is content.

import GRDB
import Glibc
import TwinStore

package struct HistoryFailure: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

package struct DatabaseHistory {
  /// What disturbs the first process; the ones after it run undisturbed.
  package enum Plan: Sendable {
    /// Several processes, each disturbed by chance or not.
    case random
    case crash(at: Int, Crash)
    case undisturbed
  }

  private static let path = "/data/items.sqlite"

  package let disk: SimulatedDisk
  private var random: Random
  private let plan: Plan
  private let commitsMax: Int
  private var model = TransactionModel()
  package private(set) var commits = 0
  package private(set) var crashes = 0

  /// - Parameters:
  ///   - commitsMax: transactions of one process.
  ///   - pretending: operations that the disk only pretends to do.
  package init(
    seed: UInt64, plan: Plan = .random, commitsMax: Int = 25, pretending: Set<Operation> = [], logLinesMax: Int? = 0
  ) throws {
    random = Random(seed: seed)
    self.plan = plan
    self.commitsMax = commitsMax
    disk = SimulatedDisk(seed: random.next(), logLinesMax: logLinesMax)
    let mount = disk.mount()
    try mount.makeDirectory("/data", mode: 0o700)
    try mount.syncDirectory("/")
    disk.pretend(pretending)
    if case .random = plan { disk.setInterruptions(perMille: random.pick([0, 0, 30])) }
  }

  package mutating func run() throws(HistoryFailure) {
    switch plan {
    case .random:
      for _ in 0..<random.within(2...5) {
        if random.chance(800) { try process(crash: random.pick([.power, .power, .process])) } else { try process() }
      }
    case .crash(let operation, let crash): try process(crash: crash, at: operation)
    case .undisturbed: break
    }
    try process()
    try process()
  }

  /// One process from its start to its end: by a crash, or closing the database.
  private mutating func process(crash: Crash? = nil, at operation: Int? = nil) throws(HistoryFailure) {
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 1_750_000_000_000_000 }, seedSQLite: true)
    defer { withExtendedLifetime(vfs) {} }
    let failsSync = disturb(crash, at: operation)
    var database: DatabaseQueue?
    do {
      let opened = try open(mount)
      database = opened
      try check(opened)
      try work(opened)
      if crash == nil { try opened.close() }
    } catch let failure as HistoryFailure {
      throw failure
    } catch {
      if crash == nil { throw HistoryFailure("an undisturbed process met an error: \(error)") }
    }
    disk.clearFaults()
    guard let crash else { return }
    crashes += 1
    // What a failed sync lost is in memory still, where a new process would take it for safe.
    disk.crash(failsSync ? .power : crash)
    model.crashed(failsSync ? .power : crash)
    try? database?.close()
  }

  /// Returns whether a sync is made to fail.
  private mutating func disturb(_ crash: Crash?, at operation: Int?) -> Bool {
    if crash == nil { return false }
    let soon = operation ?? disk.operations + random.within(1...random.pick([40, 400]))
    if operation != nil || random.chance(700) {
      disk.crash(at: soon)
      return false
    }
    // Not a directory's open or sync: SQLite passes over it, so the store syncs the directory itself.
    let fails = random.pick([Operation.write, .sync, .read, .open, .unlink, .truncate])
    disk.fail(Fault(at: soon, errno: EIO, lasts: true, only: fails))
    return fails == .sync
  }

  private func open(_ mount: Mount) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          PRAGMA wal_autocheckpoint = 0;
          """)
    }
    let queue = try DatabaseQueue(
      path: "file:\(Self.path)?vfs=\(mount.sqliteVFS ?? "")", configuration: configuration)
    try queue.write { db in
      try db.execute(
        sql: "CREATE TABLE IF NOT EXISTS items (key INTEGER PRIMARY KEY, number INTEGER NOT NULL, payload BLOB)")
    }
    return queue
  }

  private mutating func work(_ database: DatabaseQueue) throws {
    for _ in 0..<random.within(1...commitsMax) {
      let changes = (0..<random.within(1...6)).map { _ in (key: random.below(40), bytes: random.below(3_000)) }
      let number = model.begin(keys: changes.map(\.key))
      try database.write { db in
        for change in changes {
          try db.execute(
            sql: "INSERT OR REPLACE INTO items VALUES (?, ?, zeroblob(?))",
            arguments: [change.key, number, change.bytes])
        }
      }
      // A commit that returns when the process has ended is not seen by anyone.
      if disk.isCrashed { return }
      model.committed()
      commits += 1
      if random.chance(150) {
        try database.writeWithoutTransaction { db in _ = try db.checkpoint(random.pick([.passive, .truncate])) }
      }
    }
  }

  private mutating func check(_ database: DatabaseQueue) throws {
    let (integrity, found) = try database.read { db in
      (
        try String.fetchAll(db, sql: "PRAGMA integrity_check"),
        try Row.fetchAll(db, sql: "SELECT key, number FROM items").map { row -> (Int, Int) in (row[0], row[1]) }
      )
    }
    if integrity != ["ok"] { throw HistoryFailure("the database is damaged: \(integrity.prefix(3))") }
    try model.found(Dictionary(uniqueKeysWithValues: found))
  }
}

/// What the database may hold: by key the number of the transaction that wrote it last.
private struct TransactionModel {
  private typealias State = [Int: Int]

  private var current = State()
  /// What a crash may leave: the state of the last commit that is known to be safe, and those after it.
  private var possible = [State()]
  private var next = State()
  private var number = 0

  mutating func begin(keys: [Int]) -> Int {
    number += 1
    next = current
    for key in keys { next[key] = number }
    possible.append(next)
    return number
  }

  mutating func committed() {
    current = next
    possible = [current]
  }

  /// After a kill what is read may still be lost by a power failure, until another commit has synced it.
  private var crash = Crash.power

  mutating func crashed(_ crash: Crash) { self.crash = crash }

  mutating func found(_ state: [Int: Int]) throws(HistoryFailure) {
    if !possible.contains(state) {
      throw HistoryFailure(
        "the database holds \(TransactionModel.text(state)), and should hold "
          + possible.map(TransactionModel.text).joined(separator: " or "))
    }
    current = state
    if crash == .power { possible = [state] }
  }

  private static func text(_ state: State) -> String {
    "{" + state.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
  }
}
