// The present of one store: the machine's wall clock, but never before what the store has already relied on, and not at
// once where it jumps to.
//
// Promises: every commit is recorded after the one before it and after any time that somebody was told to know all of,
// and not before a time that a twin was derived for (which drops what has ended by then) or that history was trimmed
// by, whatever the machine's clock does. Across restarts too: the journal has the times of commits, and the checkpoint
// row the time reached when it was written.
//
// So a clock that is ahead for a moment would have its time recorded for good. A jump ahead of more than an hour, seen
// against the clock that counts since boot, is therefore not followed for ten minutes. One that lasts longer is: the
// machine may have started without the time. Then, as after a gap of more than a year before the start, nothing is
// dropped by its age before somebody has restarted twind.

import Synchronization

final class SteadyClock: Clock {
  private static let jumpMicros: Int64 = 3_600_000_000
  private static let patienceMicros: Int64 = 600_000_000
  private static let gapMicros: Int64 = 366 * 86_400_000_000

  private let clock: any Clock
  private let floor = Atomic<Int64>(.min)
  private let closed = Atomic<Int64>(.min)
  /// The wall clock less the time since boot, as it was last believed.
  private let offset: Atomic<Int64>
  /// Since when the clock is where it jumped to, in time since boot; 0 = it has not.
  private let jumpedAt = Atomic<Int64>(0)
  private let hasFollowedJump = Atomic(false)
  private let hasGap = Atomic(false)

  init(_ clock: any Clock) {
    self.clock = clock
    offset = Atomic(clock.wallMicros() &- Self.elapsed(clock))
  }

  private static func elapsed(_ clock: any Clock) -> Int64 { Int64(clamping: clock.elapsedNanos() / 1_000) }

  /// Never earlier than `reached`.
  func wallMicros() -> Int64 { max(believed(), reached) }

  /// The time of the next commit.
  func nextCommitMicros() -> Int64 {
    let closed = closedThrough
    return max(wallMicros(), closed == .min ? .min : closed + 1)
  }

  /// Nothing more is recorded up to this time; `.min` = nothing was recorded or told yet.
  var closedThrough: Int64 { closed.load(ordering: .relaxed) }

  func monotonicNanos() -> UInt64 { clock.monotonicNanos() }
  func elapsedNanos() -> UInt64 { clock.elapsedNanos() }

  func pause(micros: UInt32) { clock.pause(micros: micros) }

  /// The latest time that something was made to depend on, microseconds since the epoch.
  var reached: Int64 { floor.load(ordering: .relaxed) }

  /// Something depends on this time from here on.
  func reach(_ micros: Int64) { floor.max(micros, ordering: .relaxed) }

  /// Nothing more is recorded at this time: a commit was, or somebody was told what is known at it.
  func close(_ micros: Int64) {
    reach(micros)
    closed.max(micros, ordering: .relaxed)
  }

  // MARK: Jumps

  private func believed() -> Int64 {
    let wall = clock.wallMicros()
    let elapsed = Self.elapsed(clock)
    let ahead = wall &- elapsed &- offset.load(ordering: .relaxed)
    if ahead > Self.jumpMicros { return jumped(to: wall, elapsed) }
    if ahead != 0 { offset.store(wall &- elapsed, ordering: .relaxed) }
    if jumpedAt.load(ordering: .relaxed) != 0 { jumpedAt.store(0, ordering: .relaxed) }
    return wall
  }

  private func jumped(to wall: Int64, _ elapsed: Int64) -> Int64 {
    let since = jumpedAt.load(ordering: .relaxed)
    if since == 0 { jumpedAt.store(max(elapsed, 1), ordering: .relaxed) }
    if since == 0 || elapsed &- since < Self.patienceMicros { return elapsed &+ offset.load(ordering: .relaxed) }
    hasFollowedJump.store(true, ordering: .relaxed)
    offset.store(wall &- elapsed, ordering: .relaxed)
    jumpedAt.store(0, ordering: .relaxed)
    return wall
  }

  /// The store has been read: `reached` is the last time that it knows of.
  func start() {
    let reached = reached
    // A store that has recorded nothing yet has nothing to drop.
    if reached > 0 { hasGap.store(believed() &- reached > Self.gapMicros, ordering: .relaxed) }
  }

  /// The time by which facts may be dropped for their age; nil = none is to be believed.
  var retentionMicros: Int64? {
    // Not `reached`, which may be a time that the clock had by mistake.
    let now = believed()
    return jumpedAt.load(ordering: .relaxed) != 0 || hasFollowedJump.load(ordering: .relaxed)
      || hasGap.load(ordering: .relaxed) ? nil : now
  }

  /// What is wrong with the time.
  var trouble: ClockTrouble? {
    let now = believed()
    if jumpedAt.load(ordering: .relaxed) != 0 { return .jumped }
    if reached != .min, reached &- now > Self.jumpMicros { return .behind }
    if hasFollowedJump.load(ordering: .relaxed) { return .followed }
    return hasGap.load(ordering: .relaxed) ? .gap : nil
  }
}

package enum ClockTrouble: Equatable, Sendable, CustomStringConvertible {
  /// A moment ago it was more than an hour earlier.
  case jumped
  /// It jumped, and has stayed there.
  case followed
  /// It was more than a year earlier when something was last recorded.
  case gap
  /// Something was recorded more than an hour after now.
  case behind

  package var description: String {
    switch self {
    case .jumped:
      "the system's clock has jumped ahead by more than an hour: twind keeps the old time for ten minutes, then uses "
        + "the new one; check the clock"
    case .followed:
      "the system's clock jumped ahead by more than an hour and stayed there: no history is dropped by age (--retain) "
        + "until twind is restarted; check the clock first"
    case .gap:
      "nothing was recorded for more than a year before the start: no history is dropped by age (--retain) until twind "
        + "is restarted; check the system's clock first"
    case .behind:
      "the last commit was recorded more than an hour ahead of the system's clock: until the clock catches up, "
        + "recorded times grow by a microsecond for each commit; check the system's clock"
    }
  }
}
