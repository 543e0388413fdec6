// Accepts connections, within the limits, and distributes them to the reactors.
//
// Runs on the reactor that watches the listener. If all connections are in use, a new one waits while each reactor in
// turn is asked for one that may be closed, see `Vacancy`. At most `newcomersMax` wait here, the others in the
// listener's backlog. A connection that is refused is told why; above `refusalsMax` of them, connections are closed
// silently.

import CLinux
import Glibc

/// The listener, watched by the first reactor.
final class Acceptor: EventSource, @unchecked Sendable {
  /// How long to wait if there are no descriptors or no memory left.
  private static let retryNanos: UInt64 = 100_000_000
  /// How long a user's new connections are refused without another search after one that found nothing. A search looks
  /// at every connection, so a cheap connect() must not cause one each time.
  private static let barrenNanos: UInt64 = 20_000_000

  private struct Newcomer {
    let fd: Int32
    let peer: Peer
    let denial: ConnectionPlaces.Denial
  }

  let listener: UnixListener
  private let reactor: Reactor
  /// The server, which lives until its shutdown.
  private let server: Server
  private let limits: Limits
  /// Connections that wait. A search is in progress for the first of them.
  private var waiting: [Newcomer] = []
  /// For each user, the time until which no search is made.
  private var barrenUntil: [UInt32: UInt64] = [:]
  /// When to accept again; nil: it is accepting.
  private var retryAt: UInt64?
  /// When to look for silent connections; nil: it is not crowded.
  private var sweepAt: UInt64?
  private var hasStopped = false

  init(_ listener: UnixListener, _ reactor: Reactor, _ server: Server, _ limits: Limits) {
    self.listener = listener
    self.reactor = reactor
    self.server = server
    self.limits = limits
  }

  func ready(_ events: UInt32) {
    while true {
      // Others wait in the listener's backlog, and do not spin meanwhile.
      if waiting.count == Limits.newcomersMax { return reactor.change(listener.fd, 0) }
      let fd = twind_accept(listener.fd)
      if fd >= 0 {
        welcome(fd)
        continue
      }
      let problem = errno
      if problem == EINTR || problem == ECONNABORTED { continue }
      // EMFILE, ENFILE, ENOMEM, ENOBUFS, and whatever else may come: it passes. Level-triggered readiness would spin:
      // look away for a while.
      if problem != EAGAIN {
        reactor.change(listener.fd, 0)
        retryAt = twind_monotonic_nanos() + Self.retryNanos
        setTimer()
      }
      return
    }
  }

  func timer(_ now: UInt64) {
    if let time = retryAt, time <= now {
      retryAt = nil
      if waiting.count < Limits.newcomersMax { reactor.change(listener.fd, twind_readable) }
    }
    if let time = sweepAt, time <= now { sweep(now) }
    setTimer()
  }

  func close() { stop() }

  /// Stops accepting connections.
  func stop() {
    hasStopped = true
    for newcomer in waiting { Glibc.close(newcomer.fd) }
    waiting = []
    reactor.remove(listener.fd)
  }

  private func setTimer() {
    let next = min(retryAt ?? .max, sweepAt ?? .max)
    if next != .max { reactor.wake(listener.fd, at: next) }
  }

  // MARK: Newcomers

  private func welcome(_ fd: Int32) {
    guard let peer = Peer(socket: fd) else {
      return refuse(
        fd, RPCError(.unavailable, "the system does not say who is calling (errno \(errno)): try again"))
    }
    do throws(ConnectionPlaces.Denial) {
      serve(fd, peer, try server.takePlace(peer))
    } catch {
      let newcomer = Newcomer(fd: fd, peer: peer, denial: error)
      guard twind_monotonic_nanos() >= barrenUntil[peer.uid, default: 0] else { return refuse(newcomer) }
      waiting.append(newcomer)
      if waiting.count == 1 { search(newcomer) }
    }
  }

  private func serve(_ fd: Int32, _ peer: Peer, _ seat: Seat) {
    server.serve(fd, peer, seat)
    if sweepAt == nil && server.isCrowded {
      sweepAt = twind_monotonic_nanos()
      setTimer()
    }
  }

  /// Closes a connection to make room for the new one, if there is one that may be closed.
  private func search(_ newcomer: Newcomer) {
    let now = twind_monotonic_nanos()
    let isOperator = server.isOperator(newcomer.peer)
    let vacancy = Vacancy(
      openedBefore: now - min(now, limits.silentNanosMin),
      uid: newcomer.denial == .user && !isOperator ? newcomer.peer.uid : nil, isOperator: isOperator)
    let reason = limits.detailed(
      RPCError(
        .resourceExhausted,
        "closed to make room: all connections are in use (connectionsMax), and this one has not made a call: connect "
          + "when you have a call to make",
        limit: .init("connectionsMax", maximum: limits.connectionsMax, actual: limits.connectionsMax + 1)))
    server.vacate(vacancy, reason) { [self] hasFound in reactor.post { self.settle(hasFound) } }
  }

  /// Called when the search for the first waiting connection has ended.
  private func settle(_ hasFound: Bool) {
    guard !hasStopped, !waiting.isEmpty else { return }
    if waiting.count == Limits.newcomersMax && retryAt == nil { reactor.change(listener.fd, twind_readable) }
    let newcomer = waiting.removeFirst()
    do throws(ConnectionPlaces.Denial) {
      serve(newcomer.fd, newcomer.peer, try server.takePlace(newcomer.peer))
    } catch {
      if !hasFound { noteBarren(newcomer.peer.uid) }
      refuse(newcomer)
    }
    if let next = waiting.first { search(next) }
  }

  private func noteBarren(_ uid: UInt32) {
    let now = twind_monotonic_nanos()
    barrenUntil = barrenUntil.filter { $0.value > now }
    barrenUntil[uid] = now + Self.barrenNanos
  }

  private func refuse(_ newcomer: Newcomer) { refuse(newcomer.fd, server.refusal(newcomer.denial, newcomer.peer)) }

  /// Tells a client why it is refused. Only a few are told at a time; more of them are just closed.
  private func refuse(_ fd: Int32, _ error: RPCError) {
    guard reactor.refusals < Limits.refusalsMax else {
      Glibc.close(fd)
      return
    }
    Refusal(fd, reactor).open(limits.detailed(error))
  }

  // MARK: Silence

  /// While it is crowded, connections that have made no call for `silentNanosMax` are closed.
  private func sweep(_ now: UInt64) {
    guard server.isCrowded else {
      sweepAt = nil
      return
    }
    sweepAt = now + max(limits.silentNanosMax / 60, 1_000_000)
    let reason = limits.detailed(
      RPCError(
        .resourceExhausted,
        "closed: this connection has made no call for \(limits.silentNanosMax / 1_000_000_000) s (silentNanosMax), and "
          + "\(ConnectionPlaces.crowdedPercent) % of the connections are in use (connectionsMax): connect when you "
          + "have a call to make",
        limit: .init("connectionsMax", maximum: limits.connectionsMax, actual: limits.connectionsMax)))
    server.closeAll(Vacancy(openedBefore: now - min(now, limits.silentNanosMax)), reason)
  }
}
