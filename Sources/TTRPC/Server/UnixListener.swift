// A listening Unix domain socket, made so that nobody can connect who should not, not even for a moment.

import CLinux
import Glibc

/// A socket that clients connect to.
public final class UnixListener: Sendable {
  /// Why a socket could not be made: one line that names the path and says what to do.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  public let path: String
  let fd: Int32
  private let inode: ino_t

  /// Makes the socket.
  ///
  /// A stale socket at the path is removed, so the caller must hold the lock that says there is one daemon. A live
  /// one, a symbolic link, another user's or something that is no socket is refused.
  ///
  /// - Parameters:
  ///   - mode: permissions, 0600 for the own user only.
  ///   - group: the socket's group; nil = the process's.
  public init(path: String, mode: mode_t = 0o600, group: gid_t? = nil, backlog: Int32 = 1024) throws(Failure) {
    self.path = path
    guard path.utf8.count <= twind_socket_path_bytes_max else {
      throw Failure(
        description: "socket path is \(path.utf8.count) bytes, the system's limit is \(twind_socket_path_bytes_max): "
          + "choose a shorter one: \(path)")
    }
    // The system would choose a name of its own.
    guard !path.isEmpty else { throw Failure(description: "the socket path is empty: give one") }
    try Self.makeRoom(at: path)
    let fd = twind_unix_socket(1)
    guard fd >= 0 else { throw Self.failure("cannot make a socket for", path) }
    do {
      inode = try Self.bind(fd, path, mode, group, backlog)
    } catch {
      Glibc.close(fd)
      throw error
    }
    self.fd = fd
  }

  /// Removes the socket's path, if it is still ours. Whoever watches the descriptor closes it.
  public func removePath() {
    var status = stat()
    if lstat(path, &status) == 0 && status.st_ino == inode { unlink(path) }
  }

  /// The umask takes bits away at bind, so a wider mode is set afterwards: never is the socket wider than asked for.
  private static func bind(
    _ fd: Int32, _ path: String, _ mode: mode_t, _ group: gid_t?, _ backlog: Int32
  ) throws(Failure) -> ino_t {
    guard fchmod(fd, 0o600) == 0 else { throw failure("cannot set the mode of", path) }
    guard twind_bind(fd, path) == 0 else {
      if errno == ENOENT {
        throw Failure(
          description: "the directory of the socket does not exist: make it first, or choose another: \(path)")
      }
      throw failure("cannot bind", path)
    }
    var status = stat()
    let made = lstat(path, &status) == 0
    if made, let group, lchown(path, uid_t.max, group) != 0 {
      let error = failure("cannot give group \(group) to", path)
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
      throw failure("cannot look at", path)
    }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: break
    case S_IFLNK:
      throw Failure(description: "a symbolic link is in the socket's place: remove it, or choose another path: \(path)")
    default:
      throw Failure(
        description: "something that is no socket is in its place: remove it, or choose another path: \(path)")
    }
    guard status.st_uid == geteuid() else {
      throw Failure(
        description:
          "the socket belongs to user \(status.st_uid), not to us (\(geteuid())): choose another path: \(path)")
    }
    guard try isStale(path) else {
      throw Failure(description: "another daemon is serving this socket: stop it, or choose another path: \(path)")
    }
    guard unlink(path) == 0 else { throw failure("cannot remove the stale socket", path) }
  }

  /// Nobody listens any more. A full backlog is somebody.
  private static func isStale(_ path: String) throws(Failure) -> Bool {
    let probe = twind_unix_socket(1)
    guard probe >= 0 else { throw failure("cannot make a socket to try", path) }
    defer { Glibc.close(probe) }
    return twind_connect(probe, path) != 0 && errno == ECONNREFUSED
  }

  private static func failure(_ what: String, _ path: String) -> Failure {
    Failure(description: "\(what) \(path): \(String(cString: strerror(errno)))")
  }
}
