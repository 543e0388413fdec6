// The file system of the machine.

import Glibc

package struct PosixFileSystem: FileSystem {
  package init() {}

  package func createDirectory(_ path: String, mode: UInt32) throws(StoreError) {
    if mkdir(path, mode) == 0 { return }
    let error = errno
    if error != EEXIST { throw .io(path: path, operation: "create the directory", errno: error) }
    var status = stat()
    if stat(path, &status) != 0 { throw .io(path: path, operation: "look at", errno: errno) }
    if status.st_mode & S_IFMT != S_IFDIR { throw .io(path: path, operation: "use as a directory", errno: ENOTDIR) }
  }

  package func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  package func lockFile(_ path: String) throws(StoreError) -> FileLock? {
    let fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if fd < 0 { throw .io(path: path, operation: "open", errno: errno) }
    let lock = LockedDescriptor(fd)
    if flock(fd, LOCK_EX | LOCK_NB) == 0 { return lock }
    let error = errno
    if error == EWOULDBLOCK { return nil }
    throw .io(path: path, operation: "lock", errno: error)
  }
}

private final class LockedDescriptor: FileLock {
  private let fd: CInt

  init(_ fd: CInt) { self.fd = fd }

  deinit { close(fd) }

  func unlock() { flock(fd, LOCK_UN) }
}
