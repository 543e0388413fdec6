// One turn of the loop after the other.
//
// A turn sees to what is due in parts: events, jobs of other threads, timers, and connections with more to do. Each part
// ends when it has taken `partNanosMax`, after one piece of work at least, and the rest comes with the next turn. So a
// connection waits for no more than a few pieces of other connections' work, however much of that there is. Of the events
// those come first whose connection had little to do last time; the others take turns.
//
// Told to busy-poll, the loop does not sleep before nothing has come for that long: waking a thread on another core costs
// several times what a read does.

import CLinux
import Glibc

/// The time of one part of a turn.
private struct PartClock {
  private static let nanosMax: UInt64 = 100_000
  /// From here on a piece of work is long.
  private static let slowNanos: UInt64 = 25_000

  private var last = twind_monotonic_nanos()
  private let end: UInt64

  init() { end = last + Self.nanosMax }

  var isOver: Bool { last >= end }

  /// A piece of work has ended; whether it was long.
  mutating func lap() -> Bool {
    let now = twind_monotonic_nanos()
    defer { last = now }
    return now - last >= Self.slowNanos
  }
}

extension Reactor {
  func run() {
    while running {
      let before = activity
      turn(nanos: idleNanos)
      if busyPollNanos > 0 && activity != before { spin() }
    }
    for each in watched { each.source?.close() }
    closeRemoved()
  }

  /// Waits for events, at most `nanos`, and sees to what is due.
  private func turn(nanos: UInt64) {
    serve(epoll.wait(nanos: nanos))
    if !jobs.isEmpty { runJobs() }
    if timers.next != .max { runTimers() }
    endTurn()
  }

  private func endTurn() {
    if !pending.isEmpty { flushPending() }
    enforceBudget()
    closeRemoved()
  }

  /// How long nothing is to be done.
  private var idleNanos: UInt64 {
    if !pending.isEmpty || !late.isEmpty || !jobs.isEmpty { return 0 }
    let next = timers.next
    if next == .max { return .max }
    let now = twind_monotonic_nanos()
    return next > now ? next - now : 0
  }

  // MARK: Events

  private func serve(_ count: Int) {
    // The usual case: nobody waits for anybody.
    if count == 1 && late.isEmpty { return serve(epoll.event(0)) }
    if count > 0 || !late.isEmpty { serveInTurns(count) }
  }

  @inline(__always)
  private func serve(_ event: (fd: Int32, events: UInt32)) {
    if event.fd == wakeup.fd {
      activity &+= 1
      takeJobs()
    } else {
      source(event.fd)?.ready(event.events)
    }
  }

  private func serveInTurns(_ count: Int) {
    var clock = PartClock()
    for index in 0..<count {
      let event = epoll.event(index)
      if event.fd == wakeup.fd {
        serve(event)
      } else if clock.isOver || isLate(event.fd) {
        postpone(event)
      } else {
        serve(event, &clock)
      }
    }
    repeat {
      guard let fd = late.popFirst() else { return }
      let events = watched[Int(fd)].late
      watched[Int(fd)].late = 0
      // None wait when it has been closed.
      if events != 0 { serve((fd, events), &clock) }
    } while !clock.isOver
  }

  /// Whether it was slow last time, or waits for its turn already.
  private func isLate(_ fd: Int32) -> Bool {
    guard watched.indices.contains(Int(fd)) else { return false }
    return watched[Int(fd)].isSlow || watched[Int(fd)].late != 0
  }

  private func postpone(_ event: (fd: Int32, events: UInt32)) {
    guard watched.indices.contains(Int(event.fd)), watched[Int(event.fd)].source != nil else { return }
    if watched[Int(event.fd)].late == 0 { late.append(event.fd) }
    watched[Int(event.fd)].late |= event.events
  }

  private func serve(_ event: (fd: Int32, events: UInt32), _ clock: inout PartClock) {
    guard let source = source(event.fd) else { return }
    source.ready(event.events)
    let isSlow = clock.lap()
    // It may have been closed.
    if watched[Int(event.fd)].source === source { watched[Int(event.fd)].isSlow = isSlow }
  }

  // MARK: Other work

  private func runJobs() {
    var clock = PartClock()
    while !clock.isOver, let job = jobs.popFirst() {
      job()
      _ = clock.lap()
    }
  }

  private func runTimers() {
    let now = twind_monotonic_nanos()
    guard timers.next <= now else { return }
    var clock = PartClock()
    while !clock.isOver, let token = timers.take(now: now) {
      source(Int32(token))?.timer(now)
      _ = clock.lap()
    }
  }

  /// What a flush makes others send is sent in the next turn.
  private func flushPending() {
    // For one alone nothing waits here.
    if pending.count == 1, let only = pending.popFirst() { return only.flushPending() }
    var clock = PartClock()
    for _ in 0..<pending.count where !clock.isOver {
      pending.popFirst()?.flushPending()
      _ = clock.lap()
    }
  }

  private func closeRemoved() {
    if closed.isEmpty { return }
    for removed in closed { Glibc.close(removed.fd) }
    closed.removeAll(keepingCapacity: true)
  }

  // MARK: Busy-polling

  /// Bytes came from the connection's peer.
  @inline(__always)
  func heard(_ connection: Connection) {
    activity &+= 1
    lastHeard = .passUnretained(connection)
  }

  /// Looks for more without sleeping until nothing has come for `busyPollNanos`. Who spoke last is the likeliest to
  /// speak next: its socket is read without asking whether it can be, and all others are asked in between.
  private func spin() {
    var seen = activity
    var heardAt = twind_monotonic_nanos()
    while running {
      for _ in 0..<Self.directReads {
        let before = activity
        lastHeard?._withUnsafeGuaranteedRef { $0.ready(twind_readable) }
        if activity == before {
          twind_cpu_pause()
        } else {
          endTurn()
          // More than fits a turn, or something for others: they are looked at first.
          if !pending.isEmpty { break }
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
