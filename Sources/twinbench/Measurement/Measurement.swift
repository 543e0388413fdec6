// What a run found.

import Histogram

struct Measurement {
  var latencies = Latencies.empty
  var intervals: [Interval] = []
  /// How long calls were counted, in seconds.
  var seconds = 0.0
  /// Calls of an open loop that were due and could not begin before the end.
  var unsentCount = 0
  /// When it began, in seconds since the epoch.
  var startTime = 0.0
  /// Lines of the interval log, when one was asked for.
  var logLines: [String] = []

  /// Adds what came after it.
  mutating func append(_ next: Measurement) {
    if intervals.isEmpty { startTime = next.startTime }
    latencies.add(next.latencies)
    intervals += next.intervals.map { one in
      Interval(start: seconds + one.start, seconds: one.seconds, latencies: one.latencies, process: one.process)
    }
    seconds += next.seconds
    unsentCount += next.unsentCount
    logLines += next.logLines
  }

  var callsPerSecond: Double { seconds > 0 ? Double(latencies.totalCount) / seconds : 0 }
}
