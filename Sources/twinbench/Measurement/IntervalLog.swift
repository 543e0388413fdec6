// HdrHistogram's interval log, version 1.3: what its plotters and analysers read.

import Foundation

enum IntervalLog {
  /// - Parameter start: seconds since the epoch.
  static func text(_ measurement: Measurement, title: String) -> String {
    let start = String(format: "%.3f", measurement.startTime)
    return """
      #[twinbench: \(title); latencies in nanoseconds, maximum in milliseconds]
      #[Histogram log format version 1.3]
      #[StartTime: \(start) (seconds since epoch)]
      "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"

      """ + measurement.logLines.map { $0 + "\n" }.joined()
  }

  static func line(start: Double, seconds: Double, _ latencies: Latencies) -> String {
    let encoded = Data(HistogramEncoding.compressed(latencies)).base64EncodedString()
    return String(format: "%.3f,%.3f,%.6f,", start, seconds, Double(latencies.max) / 1e6) + encoded
  }
}
