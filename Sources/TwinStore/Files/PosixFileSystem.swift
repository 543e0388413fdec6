// The file system of the machine.

import CLinux
import Glibc

package struct PosixFileSystem: FileSystem {
  package init() {}

  package var sqliteVFS: String? { nil }

  package func makeDirectory(_ path: String, mode: UInt32) throws(Errno) { try check(mkdir(path, mode)) }

  package func list(_ directory: String) throws(Errno) -> [String] {
    guard let stream = opendir(directory) else { throw Errno(errno) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    if errno != 0 { throw Errno(errno) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  package func kind(_ path: String) throws(Errno) -> FileKind? {
    var status = stat()
    if stat(path, &status) != 0 {
      if errno == ENOENT { return nil }
      throw Errno(errno)
    }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .directory
    default: .other
    }
  }

  package func status(_ path: String) throws(Errno) -> FileStatus? {
    var status = stat()
    if lstat(path, &status) != 0 {
      if errno == ENOENT { return nil }
      throw Errno(errno)
    }
    return FileStatus(
      identity: .init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
      isLink: status.st_mode & S_IFMT == S_IFLNK, uid: status.st_uid, mode: status.st_mode & 0o7777)
  }

  package func open(_ path: String, _ access: FileAccess) throws(Errno) -> any File {
    let flags =
      switch access {
      case .read: O_RDONLY
      case .readWrite: O_RDWR
      case .create: O_RDWR | O_CREAT | O_EXCL
      }
    return PosixFile(try opened(path, flags))
  }

  package func rename(_ from: String, to: String) throws(Errno) { try check(Glibc.rename(from, to)) }

  package func unlink(_ path: String) throws(Errno) { try check(Glibc.unlink(path)) }

  package func removeDirectory(_ path: String) throws(Errno) { try check(rmdir(path)) }

  package func openDirectory(_ path: String) throws(Errno) -> any Directory {
    PosixDirectory(try opened(path, O_RDONLY | O_DIRECTORY))
  }

  package func lock(_ path: String) throws(Errno) -> (any FileLock)? {
    try locked(path, O_RDWR | O_CREAT)
  }

  package func lockDirectory(_ path: String) throws(Errno) -> (any FileLock)? {
    try locked(path, O_RDONLY | O_DIRECTORY)
  }

  private func locked(_ path: String, _ flags: CInt) throws(Errno) -> (any FileLock)? {
    let lock = LockedDescriptor(try opened(path, flags))
    if twind_lock_file(lock.fd) == 0 { return lock }
    if errno == EWOULDBLOCK { return nil }
    throw Errno(errno)
  }

  private func opened(_ path: String, _ flags: CInt) throws(Errno) -> CInt {
    try uninterrupted { () throws(Errno) in
      let fd = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
      try check(fd)
      return fd
    }
  }
}

private func check(_ result: CInt) throws(Errno) {
  if result < 0 { throw Errno(errno) }
}

private final class PosixFile: File {
  private let fd: CInt

  init(_ fd: CInt) { self.fd = fd }

  deinit { close(fd) }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int {
    let count = pread(fd, buffer.baseAddress, buffer.count, offset)
    if count < 0 { throw Errno(errno) }
    return count
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Errno) -> Int {
    let count = pwrite(fd, bytes.baseAddress, bytes.count, offset)
    if count < 0 { throw Errno(errno) }
    return count
  }

  func allocate(_ length: Int) throws(Errno) {
    // posix_fallocate returns its error.
    let error = posix_fallocate(fd, 0, length)
    if error != 0 { throw Errno(error) }
  }

  func truncate(_ length: Int) throws(Errno) { try check(ftruncate(fd, length)) }

  func sync() throws(Errno) { try check(fdatasync(fd)) }

  func size() throws(Errno) -> Int {
    var status = stat()
    try check(fstat(fd, &status))
    return status.st_size
  }

  func dataEnd() throws(Errno) -> Int {
    var end = 0
    for _ in 0..<Self.rangesMax {
      let data = twind_seek_data(fd, Int64(end))
      if data < 0 && errno == ENXIO { return end }
      let hole = data < 0 ? -1 : twind_seek_hole(fd, data)
      // Not every file system can tell.
      if hole < 0 { return try size() }
      end = Int(hole)
    }
    return try size()
  }

  /// How many ranges of data are looked at for their end.
  private static let rangesMax = 1_000
}

private final class PosixDirectory: Directory {
  private let fd: CInt

  init(_ fd: CInt) { self.fd = fd }

  deinit { close(fd) }

  func sync() throws(Errno) { try check(fsync(fd)) }
}

private final class LockedDescriptor: FileLock {
  let fd: CInt

  init(_ fd: CInt) { self.fd = fd }

  deinit { close(fd) }

  func unlock() { flock(fd, LOCK_UN) }
}
