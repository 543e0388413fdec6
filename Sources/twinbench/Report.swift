// What a benchmark found, and where.

import Histogram
import TwinText

struct Report {
  let name: String
  let settings: [(String, String)]
  let twindVersion: String
  /// In nanoseconds.
  let latencies: Histogram<UInt64>
  let seconds: Double

  private static let percentiles: [(String, Double)] = [("p50", 50), ("p99", 99), ("p99.9", 99.9)]

  private var callsPerSecond: Double { Double(latencies.totalCount) / seconds }

  private var context: [(String, String)] {
    [
      ("machine", Machine.description), ("twinbench", Twinbench.configuration.version + Machine.build),
      ("twind", twindVersion),
    ]
  }

  var text: String {
    var head = Table([.init(""), .init("")])
    for (name, value) in context { head.add([name, value]) }
    head.add(["settings", settings.map { "\($0.0) \($0.1)" }.joined(separator: ", ")])
    var result = Table(
      [.init("CALL")] + Self.percentiles.map { .init($0.0, .right) } + [
        .init("MAX", .right), .init("CALLS", .right), .init("CALLS/S", .right),
      ])
    result.add(
      [name] + Self.percentiles.map { micros(latencies.valueAtPercentile($0.1)) } + [
        micros(latencies.max), FixedText.grouped(latencies.totalCount),
        FixedText.grouped(UInt64(callsPerSecond)),
      ])
    return head.text(header: nil) + "\n" + result.text()
  }

  var json: String {
    var object = JSONObject()
    object.add("call", name)
    for (name, value) in context { object.add(name, value) }
    for (name, value) in settings {
      let name = name.replacing(" ", with: "_")
      if let number = Int(value) { object.add(name, number) } else { object.add(name, value) }
    }
    object.add("calls", latencies.totalCount)
    object.add("seconds", seconds)
    object.add("calls_per_second", callsPerSecond)
    for (name, percentile) in Self.percentiles {
      object.add(name.replacing(".", with: "_") + "_nanos", latencies.valueAtPercentile(percentile))
    }
    object.add("max_nanos", latencies.max)
    return object.text
  }

  private func micros(_ nanos: UInt64) -> String { "\(FixedText.format(Double(nanos) / 1000, places: 1)) µs" }
}
