// Takes new connections, sees to it that there is a place for each, and deals them out to the reactors.
//
// Confined to the reactor that watches the listener. A newcomer without a place waits while the reactors are asked, one
// after the other, for a connection that may go, see `Vacancy`; at most `newcomersMax` wait, and the others in the
// listener's backlog. Who gets no place is told why; past `refusalsMax` of them more are closed without a word.

import CLinux
import Glibc

/// The listener as the first reactor watches it.
final class Acceptor: EventSource, @unchecked Sendable {
  /// When no descriptor or memory is left, wait this long before the next try.
  private static let retryNanos: UInt64 = 100_000_000
  /// How long a user's newcomers are refused without a search after one that found nothing: a search looks at every
  /// connection, and must not be had for the price of a connect.
  private static let barrenNanos: UInt64 = 20_000_000

  private struct Newcomer {
    let fd: Int32
    let peer: Peer
    let denial: ConnectionPlaces.Denial
  }

  let listener: UnixListener
  private let reactor: Reactor
  /// A server lives until its shutdown.
  private let server: Server
  private let limits: Limits
  /// The first of them is being searched for.
  private var waiting: [Newcomer] = []
  /// By user: until when searches are in vain.
  private var barrenUntil: [UInt32: UInt64] = [:]
  /// When to listen again; nil = it listens.
  private var retryAt: UInt64?
  /// When to look for silent connections; nil = it is not crowded.
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
      // EMFILE, ENFILE, ENOMEM, ENOBUFS, and whatever else may come: it passes. Level-triggered readiness would spin: look
      // away for a while.
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

  /// No more connections are taken.
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

  /// Has a connection closed for the newcomer, if one may go.
  private func search(_ newcomer: Newcomer) {
    let now = twind_monotonic_nanos()
    let isOperator = server.isOperator(newcomer.peer)
    let vacancy = Vacancy(
      openedBefore: now - min(now, limits.silentNanosMin),
      uid: newcomer.denial == .user && !isOperator ? newcomer.peer.uid : nil, isOperator: isOperator)
    let reason = limits.detailed(
      RPCError(
        .resourceExhausted,
        "closed for another: all places are taken (connectionsMax), and this connection has not made a call: connect when "
          + "there is one to make",
        limit: .init("connectionsMax", maximum: limits.connectionsMax, actual: limits.connectionsMax + 1)))
    server.vacate(vacancy, reason) { [self] hasFound in reactor.post { self.settle(hasFound) } }
  }

  /// The search for the first of those who wait has ended.
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

  /// Tells a client why it is not served. Few are told at a time: a flood of them is just closed.
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
          + "\(ConnectionPlaces.crowdedPercent) % of the places are taken (connectionsMax): connect when there is one to "
          + "make",
        limit: .init("connectionsMax", maximum: limits.connectionsMax, actual: limits.connectionsMax)))
    server.closeAll(Vacancy(openedBefore: now - min(now, limits.silentNanosMax)), reason)
  }
}
