// A listening Unix domain socket. Nobody without permission can connect, not even for a moment.

import CLinux
import Glibc

/// A socket that clients connect to.
public final class UnixListener: Sendable {
  /// Why the socket cannot be created: one line with the path and what to do.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  public let path: String
  let fd: Int32
  private let inode: ino_t

  /// Creates the socket.
  ///
  /// Replaces a stale socket at the path, so the caller must hold the lock that ensures that there is only one daemon.
  /// Refuses a socket that is in use or belongs to another user, a symbolic link, and anything else that is not a
  /// socket.
  ///
  /// - Parameters:
  ///   - mode: permissions; 0600: only this user.
  ///   - group: the socket's group; nil: the process's group.
  public init(path: String, mode: mode_t = 0o600, group: gid_t? = nil, backlog: Int32 = 1024) throws(Failure) {
    self.path = path
    guard path.utf8.count <= twind_socket_path_bytes_max else {
      throw Failure(
        description: "the socket path has \(path.utf8.count) bytes, and the system allows "
          + "\(twind_socket_path_bytes_max): choose a shorter one: \(path)")
    }
    // The system would choose a name of its own.
    guard !path.isEmpty else { throw Failure(description: "the socket path is empty") }
    try Self.makeRoom(at: path)
    let fd = twind_unix_socket(1)
    guard fd >= 0 else { throw Self.failure("cannot create a socket for", path) }
    do {
      inode = try Self.bind(fd, path, mode, group, backlog)
    } catch {
      Glibc.close(fd)
      throw error
    }
    self.fd = fd
  }

  /// Removes the socket's path, if it is still this socket. Does not close the descriptor.
  public func removePath() {
    var status = stat()
    if lstat(path, &status) == 0 && status.st_ino == inode { unlink(path) }
  }

  /// The umask restricts the mode at bind, so a wider mode is set afterwards: the socket is never more open than
  /// requested.
  private static func bind(
    _ fd: Int32, _ path: String, _ mode: mode_t, _ group: gid_t?, _ backlog: Int32
  ) throws(Failure) -> ino_t {
    guard fchmod(fd, 0o600) == 0 else { throw failure("cannot set the mode of", path) }
    guard twind_bind(fd, path) == 0 else {
      if errno == ENOENT {
        throw Failure(
          description: "the directory of the socket does not exist: create it, or choose another one: \(path)")
      }
      throw failure("cannot bind", path)
    }
    var status = stat()
    let made = lstat(path, &status) == 0
    if made, let group, lchown(path, uid_t.max, group) != 0 {
      let error = failure("cannot set the group \(group) of", path)
      unlink(path)
      throw error
    }
    guard made, mode == 0o600 || chmod(path, mode) == 0, listen(fd, backlog) == 0 else {
      let error = failure("cannot listen on", path)
      unlink(path)
      throw error
    }
    return status.st_ino
  }

  private static func makeRoom(at path: String) throws(Failure) {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw failure("cannot examine", path)
    }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: break
    case S_IFLNK:
      throw Failure(description: "the socket path is a symbolic link: remove it, or choose another path: \(path)")
    default:
      throw Failure(
        description: "the socket path exists and is not a socket: remove it, or choose another path: \(path)")
    }
    guard status.st_uid == geteuid() else {
      throw Failure(
        description:
          "the socket belongs to user \(status.st_uid), not to user \(geteuid()): choose another path: \(path)")
    }
    guard try isStale(path) else {
      throw Failure(description: "another daemon is serving this socket: stop it, or choose another path: \(path)")
    }
    guard unlink(path) == 0 else { throw failure("cannot remove the stale socket", path) }
  }

  /// Whether nobody is listening any more. A full backlog means that somebody is.
  private static func isStale(_ path: String) throws(Failure) -> Bool {
    let probe = twind_unix_socket(1)
    guard probe >= 0 else { throw failure("cannot create a socket to test", path) }
    defer { Glibc.close(probe) }
    return twind_connect(probe, path) != 0 && errno == ECONNREFUSED
  }

  private static func failure(_ what: String, _ path: String) -> Failure {
    Failure(description: "\(what) \(path): \(String(cString: strerror(errno)))")
  }
}
