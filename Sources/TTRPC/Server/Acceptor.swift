// Takes new connections and deals them out to the reactors.

import CLinux
import Glibc
import Synchronization

/// The listener as the first reactor watches it.
final class Acceptor: EventSource {
  /// When no descriptor is left, wait this long before the next try.
  private static let retryNanos: UInt64 = 100_000_000

  private unowned let reactor: Reactor
  /// A server lives until its shutdown.
  private let server: Server
  private let listener: UnixListener

  init(_ listener: UnixListener, _ reactor: Reactor, _ server: Server) {
    self.listener = listener
    self.reactor = reactor
    self.server = server
  }

  func ready(_ events: UInt32) {
    while true {
      let fd = twind_accept(listener.fd)
      if fd >= 0 {
        server.accepted(fd)
        continue
      }
      let problem = errno
      if problem == EMFILE || problem == ENFILE || problem == ENOMEM || problem == ENOBUFS {
        // Level-triggered readiness would spin: look away for a while.
        reactor.change(listener.fd, 0)
        reactor.wake(listener.fd, at: twind_monotonic_nanos() + Self.retryNanos)
      }
      if problem != EINTR && problem != ECONNABORTED { return }
    }
  }

  func timer(_ now: UInt64) { reactor.change(listener.fd, twind_readable) }

  func close() {}
}
