// One connection's thread: begins calls when they are due, and records when they end.

import CBench
import CLinux

/// What a worker does, and until when.
struct WorkerPlan {
  var mix: Mix
  var keys: KeyChoice
  var window: Int
  /// nil = a closed loop.
  var schedule: Schedule?
  var core: Int?
  var seed: UInt64
  /// Calls that begin from here on are recorded; nanoseconds on the monotonic clock.
  var measureFrom: UInt64
  /// None begins from here on.
  var end: UInt64
  /// Recorded calls; none begins past them.
  var callsMax = Int.max
}

final class Worker<L: Lane>: @unchecked Sendable {
  let recorder = Recorder()
  private(set) var unsentCount = 0
  private let lane: L
  private var plan: WorkerPlan
  private var random: RandomNumbers
  /// Of each tag: when its call was to begin.
  private var starts: [UInt64]
  private var freeTags: [UInt32]
  private var calls = 0

  init(_ lane: L, _ plan: WorkerPlan) {
    self.lane = lane
    self.plan = plan
    random = RandomNumbers(seed: plan.seed)
    starts = Array(repeating: 0, count: plan.window)
    freeTags = (0..<UInt32(plan.window)).reversed()
  }

  private var inFlight: Int { plan.window - freeTags.count }

  func run() throws {
    if let core = plan.core, bench_pin_thread(0, Int32(core)) != 0 {
      throw BenchFailure("cannot run on core \(core): there may be no such core")
    }
    bench_sharpen_timers()
    let ended = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: plan.window)
    defer { ended.deallocate() }
    while true {
      let now = twind_monotonic_nanos()
      let goesOn = now < plan.end && calls < plan.callsMax
      if goesOn { try beginDue(now) }
      if inFlight > 0 {
        let isOpen = goesOn && !freeTags.isEmpty
        let deadline = isOpen ? plan.schedule.map { min($0.next, plan.end) } ?? .max : .max
        record(ended, try lane.receive(until: deadline, into: ended))
      } else if goesOn {
        // Nothing is in flight: only an open loop has to wait.
        bench_sleep_until(min(plan.schedule?.next ?? now, plan.end))
      } else {
        break
      }
    }
    unsentCount = calls < plan.callsMax ? plan.schedule?.dueCount(before: plan.end) ?? 0 : 0
  }

  private func beginDue(_ now: UInt64) throws {
    var begun = false
    if plan.schedule != nil {
      if let next = plan.schedule?.next, next < plan.measureFrom, now >= plan.measureFrom {
        plan.schedule?.skip(to: plan.measureFrom)
      }
      while let tag = freeTags.last, let next = plan.schedule?.next, next <= now {
        plan.schedule?.advance()
        freeTags.removeLast()
        try begin(tag, at: next)
        begun = true
      }
    } else if inFlight == 0 {
      for tag in 0..<UInt32(plan.window) { try begin(tag, at: now) }
      freeTags.removeAll(keepingCapacity: true)
      begun = true
    }
    if begun { try lane.flush() }
  }

  private func begin(_ tag: UInt32, at start: UInt64) throws {
    starts[Int(tag)] = start
    if start >= plan.measureFrom { calls += 1 }
    try lane.begin(Call(operation: plan.mix.choose(&random), key: plan.keys.choose(&random)), tag: tag)
  }

  private func record(_ ended: UnsafeMutableBufferPointer<UInt32>, _ count: Int) {
    let now = twind_monotonic_nanos()
    for index in 0..<count {
      let start = starts[Int(ended[index])]
      freeTags.append(ended[index])
      // The intended beginning may be later than the clock read before it by the schedule's fraction.
      if start >= plan.measureFrom { recorder.record(now > start ? now - start : 0) }
    }
  }
}
