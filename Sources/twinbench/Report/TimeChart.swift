// Latency over time: p50, p99, p99.9 and the maximum of each interval.

struct TimeChart {
  private let series: RunReport.Series

  init(_ series: RunReport.Series) { self.series = series }

  var svg: String {
    let intervals = series.measurement.intervals.filter { $0.latencies.count > 0 }
    let lines: [(String, (Latencies.Summary) -> UInt64)] = [
      ("p50", \.p50), ("p99", \.p99), ("p99.9", \.p999), ("max", \.max),
    ]
    let end = max(series.measurement.seconds, 0.001)
    let step = Chart.step(for: end)
    let ticks = stride(from: 0, through: end * 1.0001, by: step)
    return Chart(
      title: "\(series.name) over time", xTitle: "seconds since the measurement began", yTitle: "latency (logarithmic)",
      xTicks: ticks.map { .init(position: $0, label: Self.seconds($0, step)) },
      lines: lines.map { (name, value) in
        .init(name: name, points: intervals.map { ($0.start + $0.seconds / 2, Double(value($0.latencies))) })
      }, xRange: 0...end, isLogarithmic: true, yLabel: { TimeText.axis(nanos: $0) }
    ).svg
  }

  private static func seconds(_ value: Double, _ step: Double) -> String {
    step >= 1 ? "\(Int(value.rounded())) s" : "\((value * 100).rounded() / 100) s"
  }
}
