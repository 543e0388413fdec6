// A connection that was refused with a reason. It stays open until the client has read the reason, or a moment has
// passed.
//
// If it were closed at once, the client's next write would fail and hide the reason.

import CLinux
import Glibc

/// A refused connection. Used on the accepting reactor's thread only.
final class Refusal: EventSource {
  /// How long a client has to read the reason.
  private static let nanosMax: UInt64 = 1_000_000_000
  /// A client that has sent nothing for this long is not in the middle of a frame.
  private static let quietNanos: UInt64 = 50_000_000

  private unowned let reactor: Reactor
  private let fd: Int32
  private let deadline = twind_monotonic_nanos() + Refusal.nanosMax
  /// When the client will have been quiet for long enough; nil: it was, and our side has been closed.
  private var quietAt: UInt64?
  /// For a connection that was served: its place, which becomes free when the descriptor is closed.
  private let seat: Seat?

  init(_ fd: Int32, _ reactor: Reactor, seat: Seat? = nil) {
    self.fd = fd
    self.reactor = reactor
    self.seat = seat
  }

  /// For a connection that was never served.
  var isOfNewcomer: Bool { seat == nil }

  /// For a connection that was served, after its last reply has been sent. Input is read first: ttrpc-go 1.2.3 loses
  /// the reply if the connection ends during its own write.
  func takeOver() {
    reactor.replace(fd, with: self)
    let quietAt = twind_monotonic_nanos() + Self.quietNanos
    self.quietAt = quietAt
    reactor.wake(fd, at: quietAt)
  }

  /// Sends the reply to the client's first call, which has number 1, although it has not been made yet.
  static func tell(_ fd: Int32, _ error: RPCError) {
    var answer = SendBuffer()
    answer.appendError(1, error)
    _ = twind_send(fd, answer.bytes.baseAddress, answer.byteCount)
  }

  func open(_ error: RPCError) {
    Self.tell(fd, error)
    shutdown(fd, Int32(SHUT_WR))
    guard reactor.add(self, fd, twind_readable) else {
      Glibc.close(fd)
      return
    }
    reactor.wake(fd, at: deadline)
  }

  /// Discards input; closes when the client does.
  func ready(_ events: UInt32) {
    let count = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { room in
      read(fd, room.baseAddress, room.count)
    }
    if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return close() }
    if quietAt != nil { quietAt = twind_monotonic_nanos() + Self.quietNanos }
  }

  func timer(_ now: UInt64) {
    if now >= deadline { return close() }
    guard let quietAt else { return }
    if now < quietAt { return reactor.wake(fd, at: min(quietAt, deadline)) }
    self.quietAt = nil
    shutdown(fd, Int32(SHUT_WR))
    reactor.wake(fd, at: deadline)
  }

  func close() { reactor.remove(fd) }
}
