// The data directory that a restore makes: empty, locked, with a database that has another name until it is whole.
//
// Promises: a directory that holds anything is not touched, but for what a restore has left there that was killed. What is
// given up leaves nothing: no part of a database, and no directory that was not there before.

import TwinCore

final class RestoreTarget {
  /// What the database is called until it is whole.
  static let partialName = "twind.db.partial"
  /// What an attempt that was killed may leave: the lock, and a part of the database with what SQLite keeps beside it.
  private static let leftovers = ["lock", partialName, partialName + "-wal", partialName + "-shm"]

  let directory: String
  let fileSystem: any FileSystem
  private let lock: any FileLock
  /// The directory was not there before.
  private let isOwn: Bool

  var path: String { directory + "/twind.db" }
  var partial: String { directory + "/" + Self.partialName }

  /// Throws `exists` when the directory holds anything.
  static func checkEmpty(_ directory: String, _ fileSystem: any FileSystem) throws(StoreError) {
    guard try fileSystem.exists(directory) else { return }
    let names = try fileSystem.named(directory, "list") { () throws(Errno) in try fileSystem.list(directory) }
    if let first = names.first(where: { !leftovers.contains($0) }) { throw .exists(path: "\(directory)/\(first)") }
  }

  /// - Throws: `exists`, `inUse`, `io`.
  init(_ directory: String, _ fileSystem: any FileSystem) throws(StoreError) {
    self.directory = directory
    self.fileSystem = fileSystem
    try Self.checkEmpty(directory, fileSystem)
    isOwn = try !fileSystem.exists(directory)
    try fileSystem.ensureDirectory(directory)
    guard let lock = try fileSystem.lockedStore(directory) else { throw .inUse(directory: directory) }
    self.lock = lock
    try Self.checkEmpty(directory, fileSystem)
    for name in Self.leftovers.dropFirst() where try fileSystem.exists(directory + "/" + name) {
      let left = directory + "/" + name
      try fileSystem.named(left, "remove") { () throws(Errno) in try fileSystem.unlink(left) }
    }
  }

  deinit { lock.unlock() }

  /// Checks the database and gives it its name. When anything fails nothing is left.
  func complete(_ check: () throws(StoreError) -> CheckReport) throws(StoreError) -> CheckReport {
    let report: CheckReport
    do throws(StoreError) {
      report = try check()
      try fileSystem.named(path, "rename to") { () throws(Errno) in try fileSystem.rename(partial, to: path) }
    } catch {
      giveUp()
      throw error
    }
    for made in [directory, FilePath.directory(of: directory)] {
      try fileSystem.named(made, "sync the directory") { () throws(Errno) in try fileSystem.syncDirectory(made) }
    }
    return report
  }

  func giveUp() {
    for name in Self.leftovers where name != "lock" || isOwn { try? fileSystem.unlink(directory + "/" + name) }
    if isOwn { try? fileSystem.removeDirectory(directory) }
  }
}
