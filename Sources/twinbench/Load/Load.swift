// A load on any peer: threads, warm-up, measurement.

import CLinux
import TTRPC
import Threads

struct Load {
  var mix = Mix.only(.read)
  var keys = KeyDistribution.uniform
  var keyCount: Int
  var inFlight = 1
  /// Calls a second over all connections; nil = a closed loop.
  var rate: Double?
  var arrivals = Arrivals.fixed
  var warmup = Duration.seconds(1)
  var duration = Duration.seconds(5)
  /// Recorded calls over all connections.
  var calls: Int?
  var core: Int?
  var seed: UInt64 = 1
  /// How many intervals a run of the full duration has.
  var intervalCount = 50
  var keepsLog = false
  /// Figures of the daemon's process.
  var probe: (@Sendable () -> ProcessFigures?)?

  /// Runs all lanes at once, each on a thread of its own.
  func run<L: Lane>(_ lanes: [L]) throws -> Measurement {
    let start = twind_monotonic_nanos() + nanos(warmup)
    let choice = KeyChoice(keys, count: keyCount)
    let workers = lanes.enumerated().map { (index, lane) in
      Worker(lane, plan(index, of: lanes.count, choice, start))
    }
    let interval = max(nanos(calls == nil ? duration : .seconds(10)) / UInt64(intervalCount), 20_000_000)
    let collector = Collector(
      workers.map(\.recorder), from: start, every: interval, keepsLog: keepsLog, probe: probe)
    let threads = workers.map { worker in Outcome { try worker.run() } }
    let problems = threads.compactMap { $0.join() }
    var measurement = collector.finish()
    if let problem = problems.first { throw problem }
    measurement.unsentCount = workers.reduce(0) { $0 + $1.unsentCount }
    return measurement
  }

  private func plan(_ index: Int, of count: Int, _ choice: KeyChoice, _ start: UInt64) -> WorkerPlan {
    let schedule = rate.map { rate in
      Schedule(
        rate: rate / Double(count), arrivals, from: start - nanos(warmup), offset: Double(index) / Double(count),
        seed: seed &* 1000 &+ UInt64(index))
    }
    var plan = WorkerPlan(
      mix: mix, keys: choice, window: inFlight, schedule: schedule, core: core, seed: seed &+ UInt64(index),
      measureFrom: start, end: start + nanos(duration))
    if let calls { plan.callsMax = calls / count + (index < calls % count ? 1 : 0) }
    return plan
  }

  private func nanos(_ duration: Duration) -> UInt64 { UInt64(max(duration / .nanoseconds(1), 0)) }
}
