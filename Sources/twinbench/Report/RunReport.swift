// What a run found, and where, before it becomes text, JSON or a page.

import TwinText

struct RunReport {
  /// A name and what was measured under it.
  struct Series {
    let name: String
    let measurement: Measurement
  }

  /// A table beside the latencies.
  struct Rows {
    let title: String
    let header: [String]
    /// Columns of words; the others are figures.
    var words: Set<Int> = [0]
    var rows: [[String]] = []
  }

  /// "GetTwin, closed loop"
  let title: String
  /// What was measured, in sentences for somebody who has not read the manual.
  let story: [String]
  /// Machine and versions.
  let context: [(String, String)]
  let settings: [(String, String)]
  var series: [Series] = []
  var tables: [Rows] = []
  /// SVG beside the series' own charts; on pages only.
  var charts: [String] = []

  static func context(twind version: String) -> [(String, String)] { Machine.context + [("twind", version)] }
}

/// Times for people.
enum TimeText {
  /// `9.3 µs`, `1.2 ms`, `3.4 s`
  static func format(nanos: UInt64) -> String {
    switch nanos {
    case ..<1_000_000: "\(FixedText.format(Double(nanos) / 1e3, places: 1)) µs"
    case ..<1_000_000_000: "\(FixedText.format(Double(nanos) / 1e6, places: 1)) ms"
    default: "\(FixedText.format(Double(nanos) / 1e9, places: 2)) s"
    }
  }
}
