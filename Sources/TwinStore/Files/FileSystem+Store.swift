// The few things that the store does with a file system in more than one place, with errors that name the file.

import Glibc

extension FileSystem {
  /// Runs a system call and says what it was for when it fails.
  package func named<R>(
    _ path: String, _ operation: String, _ call: () throws(Errno) -> R
  ) throws(StoreError) -> R {
    do throws(Errno) {
      return try call()
    } catch {
      throw .io(path: path, operation: operation, errno: error.code)
    }
  }

  /// Makes the names in a directory durable. A failed sync is never taken for a shortage, which may be tried again: what
  /// it left is unknown.
  package func syncDirectory(_ path: String) throws(Errno) {
    let directory = try uninterrupted { () throws(Errno) in try openDirectory(path) }
    do throws(Errno) {
      try directory.sync()
    } catch {
      throw error.isShortage ? Errno(EIO) : error
    }
  }

  package func exists(_ path: String) throws(StoreError) -> Bool {
    try named(path, "look at") { () throws(Errno) in try kind(path) } != nil
  }

  /// Makes a directory that only its owner may use. One that is there already is left as it is.
  package func ensureDirectory(_ path: String) throws(StoreError) {
    do throws(Errno) {
      try makeDirectory(path, mode: 0o700)
    } catch {
      if error.code != EEXIST { throw .io(path: path, operation: "create the directory", errno: error.code) }
      let found = try named(path, "look at") { () throws(Errno) in try kind(path) }
      if found != .directory { throw .io(path: path, operation: "use as a directory", errno: ENOTDIR) }
    }
  }

  /// The lock of a data directory: of its file `lock`, as earlier versions know it, and of the directory itself, since that
  /// file can be removed. Nil: another process has one of them.
  package func lockedStore(_ directory: String) throws(StoreError) -> (any FileLock)? {
    let outer = try named(directory, "lock") { () throws(Errno) in try lockDirectory(directory) }
    guard let outer, let inner = try locked(directory + "/lock") else { return nil }
    return StoreLock(outer, inner)
  }

  package func locked(_ path: String) throws(StoreError) -> (any FileLock)? {
    try named(path, "lock") { () throws(Errno) in try lock(path) }
  }
}

private final class StoreLock: FileLock {
  private let outer: any FileLock
  private let inner: any FileLock

  init(_ outer: any FileLock, _ inner: any FileLock) {
    self.outer = outer
    self.inner = inner
  }

  func unlock() {
    inner.unlock()
    outer.unlock()
  }
}
