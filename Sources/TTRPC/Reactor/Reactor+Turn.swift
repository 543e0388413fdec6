// Turns of the event loop.
//
// A turn has three parts: events, timers, and the backlog. Each part ends after 100 µs, but does at least one piece of
// work; the rest waits for the next turn. Events of connections that had little to do last time are served at once.
// Everything else is backlog: other events, jobs that threads have posted, output. In the backlog, the connection that
// was served least is next. So a short reply waits for only a few pieces of other connections' work, however many long
// replies are ready.
//
// With busy polling, the loop sleeps only if nothing has arrived for that time: waking a thread on another core costs
// several times as much as a read.

import CLinux
import Glibc

/// Measures the time of a part of a turn, and of its pieces.
///
/// While other connections wait, long pieces are measured in CPU time, so that a connection is not charged for time in
/// which the system ran another thread.
private struct PartClock {
  private static let nanosMax: UInt64 = 100_000
  /// A piece of work that takes longer is long.
  private static let slowNanos: UInt64 = 25_000

  private var last = twind_monotonic_nanos()
  private let end: UInt64
  /// The thread's CPU time when `quickNanos` started; nil if no connection waits.
  private var threadNanos: UInt64?
  /// The time of short pieces since then.
  private var quickNanos: UInt64 = 0

  init(isContended: Bool) {
    end = last + Self.nanosMax
    threadNanos = isContended ? twind_thread_nanos() : nil
  }

  var isOver: Bool { last >= end }

  /// Ends a piece of work, and returns how long it took.
  mutating func lap() -> UInt64 {
    let now = twind_monotonic_nanos()
    let nanos = now - last
    last = now
    guard let before = threadNanos else { return nanos }
    if !Self.isSlow(nanos) {
      quickNanos += nanos
      return nanos
    }
    let after = twind_thread_nanos()
    defer { (threadNanos, quickNanos) = (after, 0) }
    return min(nanos, after - before - min(quickNanos, after - before))
  }

  static func isSlow(_ nanos: UInt64) -> Bool { nanos >= slowNanos }
}

extension Reactor {
  func run() {
    while running {
      let before = activity
      turn(nanos: idleNanos)
      if busyPollNanos > 0 && activity != before { spin() }
    }
    for each in watched { each.source?.close() }
    while let job = jobs.popFirst() { job() }
    closeRemoved()
  }

  /// Waits for events for at most `nanos`, then handles what is due.
  private func turn(nanos: UInt64) {
    serve(epoll.wait(nanos: nanos))
    if timers.next != .max { runTimers() }
    endTurn()
  }

  private func endTurn() {
    if !backlog.isEmpty { serveBacklog() }
    enforceBudget()
    closeRemoved()
  }

  /// How long there is nothing to do.
  private var idleNanos: UInt64 {
    if !backlog.isEmpty { return 0 }
    let next = timers.next
    if next == .max { return .max }
    let now = twind_monotonic_nanos()
    return next > now ? next - now : 0
  }

  // MARK: Events

  private func serve(_ count: Int) {
    // The usual case: nobody waits for anybody.
    if count == 1 && backlog.isEmpty { serve(epoll.event(0)) } else if count > 0 { serveInTurns(count) }
  }

  @inline(__always)
  private func serve(_ event: (fd: Int32, events: UInt32)) {
    if event.fd == wakeup.fd {
      takeJobs()
    } else {
      source(event.fd)?.ready(event.events)
    }
  }

  private func serveInTurns(_ count: Int) {
    var clock = PartClock(isContended: !backlog.isEmpty)
    for index in 0..<count {
      let event = epoll.event(index)
      if event.fd != wakeup.fd && !clock.isOver && !isLate(event.fd) {
        serve(event, &clock)
        continue
      }
      if event.fd == wakeup.fd { takeJobs() } else { postpone(event) }
      // Nobody's piece.
      _ = clock.lap()
    }
  }

  /// Whether it was slow last time, or is already waiting for its turn.
  private func isLate(_ fd: Int32) -> Bool {
    guard watched.indices.contains(Int(fd)) else { return false }
    return watched[Int(fd)].isSlow || watched[Int(fd)].late != 0
  }

  private func postpone(_ event: (fd: Int32, events: UInt32)) {
    guard source(event.fd) != nil else { return }
    watched[Int(event.fd)].late |= event.events
    enqueue(event.fd)
  }

  private func serve(_ event: (fd: Int32, events: UInt32), _ clock: inout PartClock) {
    guard let source = source(event.fd) else { return }
    source.ready(event.events)
    let isSlow = PartClock.isSlow(clock.lap())
    // It may have been closed.
    if watched[Int(event.fd)].source === source { watched[Int(event.fd)].isSlow = isSlow }
  }

  // MARK: The backlog

  /// Handles the pieces that are ready now. Anything that becomes ready meanwhile comes after the next turn's events.
  private func serveBacklog() {
    var clock = PartClock(isContended: true)
    for _ in 0..<backlog.count where !clock.isOver {
      if let fd = backlog.next() { servePiece(Int(fd), &clock) }
    }
  }

  private func servePiece(_ fd: Int, _ clock: inout PartClock) {
    assert(watched[fd].isQueued, "who is in the backlog knows it")
    let events = watched[fd].late
    watched[fd].late = 0
    let source = watched[fd].source
    if fd == wakeup.fd {
      Self.runSome { jobs.popFirst() }
    } else if events != 0 {
      source?.ready(events)
    } else {
      source?.work()
    }
    let nanos = clock.lap()
    backlog.charge(Int32(fd), nanos)
    watched[fd].isQueued = false
    if events != 0 { watched[fd].isSlow = PartClock.isSlow(nanos) }
    if fd == wakeup.fd ? !jobs.isEmpty : source?.hasWork ?? false { enqueue(Int32(fd)) }
  }

  /// Runs jobs until there are no more, or until they amount to a piece of work.
  static func runSome(_ next: () -> Job?) {
    guard let first = next() else { return }
    let end = twind_monotonic_nanos() + pieceNanos
    first()
    while twind_monotonic_nanos() < end, let job = next() { job() }
  }

  private static let pieceNanos: UInt64 = 25_000

  // MARK: Other work

  private func runTimers() {
    let now = twind_monotonic_nanos()
    guard timers.next <= now else { return }
    var clock = PartClock(isContended: false)
    while !clock.isOver, let token = timers.take(now: now) {
      source(Int32(token))?.timer(now)
      _ = clock.lap()
    }
  }

  private func closeRemoved() {
    if closed.isEmpty { return }
    for removed in closed { if let fd = removed.fd { Glibc.close(fd) } }
    closed.removeAll(keepingCapacity: true)
  }

  // MARK: Busy-polling

  /// Records that bytes arrived on a connection.
  @inline(__always)
  func heard(_ connection: Connection) {
    activity &+= 1
    lastHeard = .passUnretained(connection)
  }

  /// Polls until nothing has arrived for `busyPollNanos`. The connection that sent last is the most likely to send
  /// next, so its socket is read without asking epoll, which is asked about the others in between.
  private func spin() {
    var seen = activity
    var heardAt = twind_monotonic_nanos()
    while running {
      for _ in 0..<Self.directReads {
        let before = activity
        lastHeard?._withUnsafeGuaranteedRef { $0.ready(twind_input) }
        if activity == before {
          twind_cpu_pause()
        } else {
          endTurn()
          // More than fits a turn, or something for others: they are looked at first.
          if !backlog.isEmpty { break }
        }
      }
      turn(nanos: 0)
      let now = twind_monotonic_nanos()
      if activity != seen { (seen, heardAt) = (activity, now) }
      if now &- heardAt > busyPollNanos { return }
    }
  }

  private static let directReads = 16
}
