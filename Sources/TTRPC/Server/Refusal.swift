// A connection that has been told why it ends. It stays until its client has read that, or a moment has passed.
//
// Closed at once, the client's next write would fail and hide the answer.

import CLinux
import Glibc

/// A refused connection, confined to the reactor that accepts.
final class Refusal: EventSource {
  /// How long a client has to read its answer.
  private static let nanosMax: UInt64 = 1_000_000_000
  /// A client that has sent nothing for so long is not in the middle of a frame.
  private static let quietNanos: UInt64 = 50_000_000

  private unowned let reactor: Reactor
  private let fd: Int32
  private let deadline = twind_monotonic_nanos() + Refusal.nanosMax
  /// When the client will have been quiet for long enough; nil = it was, and has been told that nothing more comes.
  private var quietAt: UInt64?
  /// Of one that was served: its place is free when the descriptor is closed.
  private let seat: Seat?

  init(_ fd: Int32, _ reactor: Reactor, seat: Seat? = nil) {
    self.fd = fd
    self.reactor = reactor
    self.seat = seat
  }

  /// It was never served.
  var isOfNewcomer: Bool { seat == nil }

  /// In the place of the connection that was served, whose last answer has been sent. What the client is writing is read
  /// first: ttrpc-go 1.2.3 forgets the answer when it finds the connection ended within its own write.
  func takeOver() {
    reactor.replace(fd, with: self)
    let quietAt = twind_monotonic_nanos() + Self.quietNanos
    self.quietAt = quietAt
    reactor.wake(fd, at: quietAt)
  }

  /// Sends a socket the answer to its first call. There is none yet, but a client's first is number 1.
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

  /// What the client sends is thrown away; its end is ours.
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
