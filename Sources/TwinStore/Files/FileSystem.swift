// What the store asks of a file system: a parameter, so that a test can make it fail, or lose what was not synced.
//
// Promises of an implementation: a call does what the system call of that name does, short writes and EINTR
// included; the loops are above it (File+Whole.swift). Paths are absolute or relative to the process's directory.

import Glibc

/// A system call failed.
package struct Errno: Error, Equatable, Sendable {
  package let code: CInt

  package init(_ code: CInt) { self.code = code }

  /// No descriptor or no memory was left. It says nothing about the disk, and passes.
  package var isShortage: Bool { code == EMFILE || code == ENFILE || code == ENOMEM }
}

package protocol FileSystem: Sendable {
  /// The SQLite VFS that opens databases on this file system; nil = SQLite's own.
  var sqliteVFS: String? { get }

  /// Makes a directory with these permissions. EEXIST when the name is taken.
  func makeDirectory(_ path: String, mode: UInt32) throws(Errno)

  /// The names in a directory, without `.` and `..`, in byte order.
  func list(_ directory: String) throws(Errno) -> [String]

  /// What a name stands for, without following a symbolic link. Nil when there is nothing of that name, or on a file system
  /// where nobody else can do anything.
  func status(_ path: String) throws(Errno) -> FileStatus?

  /// Locks a directory until the result is released. Nil: another process holds it.
  func lockDirectory(_ path: String) throws(Errno) -> (any FileLock)?

  /// Nil when there is nothing of that name.
  func kind(_ path: String) throws(Errno) -> FileKind?

  /// Opens a regular file; ELOOP when the name is a symbolic link.
  func open(_ path: String, _ access: FileAccess) throws(Errno) -> any File

  func rename(_ from: String, to: String) throws(Errno)

  func unlink(_ path: String) throws(Errno)

  /// Removes a directory that is empty.
  func removeDirectory(_ path: String) throws(Errno)

  /// Opens a directory, to make its names durable.
  func openDirectory(_ path: String) throws(Errno) -> any Directory

  /// Makes the file when it is missing, and locks it until the result is released. Nil: another process or another
  /// store holds it.
  func lock(_ path: String) throws(Errno) -> (any FileLock)?
}

package enum FileKind: Sendable { case file, directory, other }

/// Whose a file is, and which.
package struct FileStatus: Sendable {
  /// The same file has the same, whatever its name.
  package struct Identity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
  }

  let identity: Identity
  let isLink: Bool
  let uid: UInt32
  let mode: UInt32
}

extension FileSystem {
  package func status(_ path: String) throws(Errno) -> FileStatus? { nil }
  package func lockDirectory(_ path: String) throws(Errno) -> (any FileLock)? { NoLock() }
  package func removeDirectory(_ path: String) throws(Errno) {}
}

/// Of a file system that one store has for itself.
private final class NoLock: FileLock {
  func unlock() {}
}

package enum FileAccess: Sendable {
  case read
  case readWrite
  /// EEXIST when the name is taken. Permissions 0600.
  case create
}

/// An open file; closed when it is released.
package protocol File: AnyObject, Sendable {
  /// Bytes read, fewer at the end of the file or when interrupted half-way; 0 = at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int

  /// Bytes written, possibly fewer.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Errno) -> Int

  /// Reserves disk space for the first `length` bytes; what is new reads as zeros.
  func allocate(_ length: Int) throws(Errno)

  func truncate(_ length: Int) throws(Errno)

  /// Makes the content durable (fdatasync).
  func sync() throws(Errno)

  func size() throws(Errno) -> Int

  /// From here to the end there are only zeros that were never written; the size where the file system does not know. To be
  /// asked before anything is read: what has been read counts as data.
  func dataEnd() throws(Errno) -> Int
}

extension File {
  package func dataEnd() throws(Errno) -> Int { try size() }
}

/// An open directory; closed when it is released.
package protocol Directory: AnyObject, Sendable {
  /// Makes the names in it durable (fsync).
  func sync() throws(Errno)
}

/// A locked file; unlocked when it is released, if not before.
package protocol FileLock: AnyObject, Sendable {
  func unlock()
}
