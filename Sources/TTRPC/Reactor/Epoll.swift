// epoll and the eventfd that wakes it.

import CLinux
import Glibc

/// A set of file descriptors to wait for.
final class Epoll {
  private let epoll: Int32
  private let eventBuffer: UnsafeMutablePointer<epoll_event>
  private static let eventsMax = 256

  init() throws(Server.Failure) {
    let fd = twind_epoll_create()
    guard fd >= 0 else { throw Server.Failure("make an epoll instance") }
    epoll = fd
    eventBuffer = .allocate(capacity: Self.eventsMax)
  }

  deinit {
    close(epoll)
    eventBuffer.deallocate()
  }

  func add(_ fd: Int32, _ events: UInt32) -> Bool {
    twind_epoll_set(epoll, EPOLL_CTL_ADD, fd, events, UInt64(fd)) == 0
  }

  func change(_ fd: Int32, _ events: UInt32) {
    _ = twind_epoll_set(epoll, EPOLL_CTL_MOD, fd, events, UInt64(fd))
  }

  func remove(_ fd: Int32) {
    _ = twind_epoll_set(epoll, EPOLL_CTL_DEL, fd, 0, 0)
  }

  /// Waits for events for at most `nanos`, and returns their number.
  func wait(nanos: UInt64) -> Int {
    // Rounded up, so that a timer is due when the wait for it ends.
    let millis = nanos == .max ? -1 : Int32(min(nanos / 1_000_000 + (nanos % 1_000_000 == 0 ? 0 : 1), 60_000))
    return Int(max(twind_epoll_wait(epoll, eventBuffer, Int32(Self.eventsMax), millis), 0))
  }

  /// One of the events.
  @inline(__always)
  func event(_ index: Int) -> (fd: Int32, events: UInt32) {
    (
      Int32(truncatingIfNeeded: twind_epoll_token(eventBuffer + index)), twind_epoll_events(eventBuffer + index)
    )
  }
}

/// A descriptor that becomes readable when it is signalled.
struct Wakeup: ~Copyable {
  let fd: Int32

  init() throws(Server.Failure) {
    let fd = twind_eventfd_create()
    guard fd >= 0 else { throw Server.Failure("make an eventfd") }
    self.fd = fd
  }

  deinit { close(fd) }

  /// May be called from any thread.
  borrowing func signal() {
    var one: UInt64 = 1
    _ = write(fd, &one, 8)
  }

  borrowing func clear() {
    var value: UInt64 = 0
    _ = read(fd, &value, 8)
  }
}
