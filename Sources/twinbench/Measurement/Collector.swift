// Takes latencies from the threads that measure, interval by interval.

import CBench
import CLinux
import Histogram
import Threads

/// A thread of its own, from the beginning of the measurement until `finish`.
final class Collector: @unchecked Sendable {
  private let recorders: [Recorder]
  private let intervalNanos: UInt64
  private let probe: (@Sendable () -> ProcessFigures?)?
  private let keepsLog: Bool
  private let lock = Lock()
  // Guarded by `lock`.
  private var isFinishing = false
  // The thread's, until it is joined.
  private var measurement = Measurement()
  private var startNanos: UInt64 = 0
  private var takenNanos: UInt64 = 0
  private var thread: Thread?

  /// - Parameters:
  ///   - start: on the monotonic clock.
  ///   - probe: figures of the daemon's process.
  init(
    _ recorders: [Recorder], from start: UInt64, every interval: UInt64, keepsLog: Bool,
    probe: (@Sendable () -> ProcessFigures?)?
  ) {
    self.recorders = recorders
    self.probe = probe
    self.keepsLog = keepsLog
    intervalNanos = interval
    startNanos = start
    takenNanos = start
    measurement.startTime =
      (Double(twind_wall_micros()) + (Double(start) - Double(twind_monotonic_nanos())) / 1e3) / 1e6
    thread = Thread(name: "collector") { [self] in run() }
  }

  /// Takes the rest. All threads that measure have ended.
  func finish() -> Measurement {
    let end = twind_monotonic_nanos()
    lock.withLock { isFinishing = true }
    thread?.join()
    collect(at: max(end, takenNanos + 1))
    measurement.seconds = Double(end - min(end, startNanos)) / 1e9
    return measurement
  }

  private func run() {
    var next = startNanos + intervalNanos
    while !lock.withLock({ isFinishing }) {
      let now = twind_monotonic_nanos()
      if now < next {
        // In steps, so that the end is not waited for.
        bench_sleep_until(min(next, now + 20_000_000))
        continue
      }
      collect(at: now)
      next += intervalNanos * ((now - next) / intervalNanos + 1)
    }
  }

  private func collect(at now: UInt64) {
    var latencies = Latencies.empty
    for recorder in recorders { recorder.take(into: &latencies) }
    let start = Double(takenNanos - startNanos) / 1e9
    let seconds = Double(now - takenNanos) / 1e9
    takenNanos = now
    measurement.latencies.add(latencies)
    // What is left at the end may be too short to say anything.
    if latencies.totalCount == 0 && seconds * 4e9 < Double(intervalNanos) { return }
    measurement.intervals.append(
      Interval(start: start, seconds: seconds, latencies: latencies.summary, process: probe?()))
    if keepsLog { measurement.logLines.append(IntervalLog.line(start: start, seconds: seconds, latencies)) }
  }
}
