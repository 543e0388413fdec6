// What changed over time: p50, p99, p99.9 and the maximum of each interval.

struct TimeChart {
  private let series: RunReport.Series

  init(_ series: RunReport.Series) { self.series = series }

  var svg: String {
    let intervals = series.measurement.intervals.filter { $0.latencies.count > 0 }
    let lines: [(String, (Latencies.Summary) -> UInt64)] = [
      ("p50", \.p50), ("p99", \.p99), ("p99.9", \.p999), ("max", \.max),
    ]
    return Chart.overTime(
      title: series.name, yTitle: "latency (logarithmic)",
      lines: lines.map { (name, value) in
        .init(name: name, points: intervals.map { ($0.start + $0.seconds / 2, Double(value($0.latencies))) })
      }, seconds: series.measurement.seconds, isLogarithmic: true, yLabel: { TimeText.axis(nanos: $0) }
    ).svg
  }
}

extension Chart {
  /// Lines over the seconds of a measurement.
  static func overTime(
    title: String, yTitle: String, lines: [Line], seconds: Double, isLogarithmic: Bool,
    yLabel: @escaping (Double) -> String
  ) -> Chart {
    let end = max(seconds, lines.flatMap { $0.points.map(\.x) }.max() ?? 0, 0.001)
    let step = Chart.step(for: end)
    return Chart(
      title: title, xTitle: "seconds since the measurement began", yTitle: yTitle,
      xTicks: stride(from: 0, through: end * 1.0001, by: step).map { .init(position: $0, label: label($0, step)) },
      lines: lines, xRange: 0...end, isLogarithmic: isLogarithmic, yLabel: yLabel)
  }

  private static func label(_ value: Double, _ step: Double) -> String {
    step >= 1 ? "\(Int(value.rounded())) s" : "\((value * 100).rounded() / 100) s"
  }
}
