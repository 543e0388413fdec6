// An online backup: a copy of the database in one file, from which `twind restore` makes a data directory.
//
// Promises: the file has its name only when it is complete, verified and durable; it holds everything up to one
// sequence. Reads and writes go on; checkpoints wait while pages are copied. A restored store issues sequences from
// 2^32 above the backup's on, so that none that this store issues after the backup is issued again with another
// meaning, as long as those are not more.

import GRDB
import Glibc
import TwinCore

package struct BackupProgress: Equatable, Sendable {
  package var pagesDone: Int
  package var pagesTotal: Int
}

package struct BackupReport: Equatable, Sendable {
  /// The backup holds everything up to it.
  package var sequence: UInt64
  package var byteCount: Int
}

extension Store {
  /// How many sequences a restored store passes over.
  package static let restoreJump: UInt64 = 1 << 32

  /// - Parameters:
  ///   - path: absolute; nothing of that name may exist, its directory must. Until it is whole it is `path`.partial; one
  ///     that a daemon left there that was killed meanwhile is replaced.
  ///   - progress: may be called often; throws to give the backup up. Also called while the copy is verified, then with
  ///     all pages done.
  /// - Throws: `exists`, `noDirectory`, `insideDataDirectory`, `unsound`, `cancelled`, and what a checkpoint throws. Nothing is left behind.
  package func backup(
    to path: String, progress: @escaping (BackupProgress) throws -> Void = { _ in }
  ) throws(StoreError) -> BackupReport {
    let directory = FilePath.directory(of: path)
    let partial = path + ".partial"
    if try fileSystem.exists(path) { throw .exists(path: path) }
    if try !fileSystem.exists(directory) { throw .noDirectory(path: directory) }
    if try fileSystem.isInside(directory, self.directory) { throw .insideDataDirectory(path: path) }
    try clear(partial)
    // Held while it has this name: another daemon's backup does not take it for a leftover.
    guard let lock = try fileSystem.locked(partial) else { throw .exists(path: partial) }
    defer { lock.unlock() }
    var isNamed = false
    do throws(StoreError) {
      let pages = try checkpoints.running.withLock { () throws(StoreError) in
        if checkpoints.isClosed { throw .closed }
        _ = try runCheckpoint(isLast: false)
        return try copyPages(to: partial, progress)
      }
      let check = try sealed(partial) {
        try progress(BackupProgress(pagesDone: pages, pagesTotal: pages))
      }
      if try fileSystem.exists(path) { throw .exists(path: path) }
      let byteCount = try fileSystem.byteCount(partial)
      try fileSystem.named(path, "rename to") { () throws(Errno) in try fileSystem.rename(partial, to: path) }
      isNamed = true
      try fileSystem.named(directory, "sync the directory") { () throws(Errno) in
        try fileSystem.syncDirectory(directory)
      }
      return BackupReport(sequence: check.sequence, byteCount: byteCount)
    } catch {
      for left in [isNamed ? path : partial] + Self.besides(partial) { try? fileSystem.unlink(left) }
      throw error
    }
  }

  /// What SQLite may leave beside a file when it is killed.
  private static func besides(_ partial: String) -> [String] { ["-journal", "-wal", "-shm"].map { partial + $0 } }

  /// Takes away what a backup that was killed has left. Throws `exists` when one is under way.
  private func clear(_ partial: String) throws(StoreError) {
    for left in Self.besides(partial) + [partial] where try fileSystem.exists(left) {
      guard let lock = try fileSystem.locked(partial) else { throw .exists(path: partial) }
      defer { lock.unlock() }
      try fileSystem.named(left, "remove") { () throws(Errno) in try fileSystem.unlink(left) }
    }
  }

  /// Copies all pages and makes the copy a store of its own. Returns how many there are.
  private func copyPages(
    to partial: String, _ progress: @escaping (BackupProgress) throws -> Void
  ) throws(StoreError) -> Int {
    let source = try reading { () throws(StoreError) in
      try Database.openReader(database.path, at: Database.location(database.path, fileSystem), "twind.backup")
    }
    return try Database.mapped(partial, "back up to") { () throws in
      defer { try? source.close() }
      let target = try DatabaseQueue(path: Database.location(partial, fileSystem), configuration: Self.copying)
      defer { try? target.close() }
      var pages = 0
      var givenUp: (any Error)?
      try source.backup(to: target, pagesPerStep: CInt(options.slices.backupPages)) { step in
        pages = step.totalPageCount
        do {
          try progress(BackupProgress(pagesDone: step.completedPageCount, pagesTotal: step.totalPageCount))
        } catch {
          // GRDB passes over what is thrown at the last step.
          givenUp = error
          throw error
        }
      }
      if let givenUp { throw givenUp }
      try target.writeWithoutTransaction { db in
        // The pages say that there is a write-ahead log; from here on there is none.
        try db.execute(sql: "PRAGMA journal_mode = MEMORY")
        guard var row = try CheckpointRow.read(db) else { throw database.corrupt("checkpoint", "1", "it is not there") }
        try row.detach()
        try db.inTransaction {
          try row.write(db)
          return .commit
        }
      }
      try target.close()
      return pages
    }
  }

  /// What is written here counts only after a sync, and is thrown away when anything fails.
  private static var copying: Configuration {
    var configuration = Configuration()
    configuration.label = "twind.backup"
    configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")
    }
    return configuration
  }

  /// Makes the copy durable and checks it.
  private func sealed(_ partial: String, progress: @escaping () throws -> Void) throws(StoreError) -> CheckReport {
    let file = try fileSystem.opened(partial, .readWrite)
    try fileSystem.named(partial, "sync") { () throws(Errno) in try file.sync() }
    let copy = try DatabaseSnapshot(partial, fileSystem, scratch: FilePath.directory(of: partial)) { _ in }
    return try DatabaseCheck(copy, progress: { _ in try progress() }).report.sound(partial)
  }
}

extension CheckpointRow {
  /// No journal belongs to this copy, and it goes on where the original will not come.
  mutating func detach() throws(StoreError) {
    expectsJournal = false
    let last = jumps.last?.upperBound ?? 0
    let end = max(appliedSequence, last) + Store.restoreJump
    guard end < Limits.sequenceMax else { throw .exhausted(sequence: appliedSequence) }
    // A jump behind the last commit is one that a start without a commit left.
    if last > appliedSequence {
      jumps[jumps.count - 1] = jumps[jumps.count - 1].lowerBound...end
    } else {
      jumps.append(appliedSequence + 1...end)
    }
  }
}

extension CheckReport {
  /// Itself, or `unsound` with the first problem.
  func sound(_ path: String) throws(StoreError) -> CheckReport {
    guard let first = problems.first else { return self }
    throw .unsound(path: path, problem: "\(first.place): \(first.reason)")
  }
}

enum FilePath {
  /// The directory that a file is in.
  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
