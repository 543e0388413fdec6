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

  var callsPerSecond: Double { seconds > 0 ? Double(latencies.totalCount) / seconds : 0 }
}
