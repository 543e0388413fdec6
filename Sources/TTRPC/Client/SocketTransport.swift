// A client's Unix domain socket. In a forked child of the process that connected it, it is closed.

import CLinux
import Glibc

/// A connected socket.
final class SocketTransport: Transport {
  private let fd: Int32
  private let process = twind_process_generation()
  private var isOwn: Bool { process == twind_process_generation() }

  /// Connects. A listener with a full backlog is tried again until the deadline on the monotonic clock.
  init(path: String, deadlineNanos: UInt64) throws(RPCError) {
    guard path.utf8.count <= twind_socket_path_bytes_max else {
      throw RPCError(.invalidArgument, "socket path is longer than \(twind_socket_path_bytes_max) bytes: \(path)")
    }
    let fd = twind_unix_socket(1)
    guard fd >= 0 else {
      throw RPCError(
        .unavailable,
        "cannot create a socket: \(String(cString: strerror(errno))): close some, or raise the limit of open files "
          + "(ulimit -n)")
    }
    do throws(RPCError) {
      try Self.connect(fd, path, deadlineNanos)
    } catch {
      Glibc.close(fd)
      throw error
    }
    // Not before: a failing initializer runs deinit once all properties are set, and the socket would close twice.
    self.fd = fd
    twind_own_socket(fd)
  }

  private static func connect(_ fd: Int32, _ path: String, _ deadlineNanos: UInt64) throws(RPCError) {
    var pause: UInt32 = 500
    while twind_connect(fd, path) != 0 {
      let problem = errno
      guard problem == EAGAIN || problem == EINTR else {
        throw RPCError(
          .unavailable, "cannot connect to \(path): \(String(cString: strerror(problem))): is the daemon running?")
      }
      guard twind_monotonic_nanos() < deadlineNanos else {
        throw RPCError(.unavailable, "cannot connect to \(path) in time: the daemon's backlog is full")
      }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
  }

  deinit { if isOwn { twind_close_own_socket(fd) } }

  func send(_ bytes: UnsafeRawBufferPointer) -> TransportResult {
    guard isOwn else { return .closed }
    return result(twind_send(fd, bytes.baseAddress, bytes.count))
  }

  func receive(into room: UnsafeMutableRawBufferPointer) -> TransportResult {
    guard isOwn else { return .closed }
    let count = twind_receive(fd, room.baseAddress, room.count)
    return count == 0 ? .closed : result(count)
  }

  func wait(for interest: TransportInterest, until deadlineNanos: UInt64) {
    guard isOwn else { return }
    let events = (interest.contains(.readable) ? POLLIN : 0) | (interest.contains(.writable) ? POLLOUT : 0)
    var entry = pollfd(fd: fd, events: Int16(events), revents: 0)
    var millis: Int32 = -1
    if deadlineNanos != .max {
      let now = twind_monotonic_nanos()
      millis = deadlineNanos <= now ? 0 : Int32(min((deadlineNanos - now) / 1_000_000 + 1, 60_000))
    }
    poll(&entry, 1, millis)
  }

  func close() { if isOwn { shutdown(fd, Int32(SHUT_RDWR)) } }

  private func result(_ count: Int) -> TransportResult {
    if count >= 0 { return .bytes(count) }
    return errno == EAGAIN || errno == EINTR ? .wouldBlock : .closed
  }
}
