// Latency by percentile, rare calls stretched: each equal step to the right is ten times as rare.

import Foundation

struct PercentileChart {
  private let series: [RunReport.Series]

  init(_ series: [RunReport.Series]) { self.series = series }

  var svg: String {
    let most = series.map { $0.measurement.latencies.totalCount }.max() ?? 0
    // As far as calls can tell: with 1,000 calls the rarest is one in 1,000.
    let decades = min(max(log10(Double(max(most, 10))), 2), 6)
    let lines = series.map { Chart.Line(name: $0.name, points: points($0.measurement.latencies)) }
    let values = lines.flatMap { $0.points.map(\.y) }
    let isWide = (values.max() ?? 1) > 20 * max(values.filter { $0 > 0 }.min() ?? 1, 0.001)
    return Chart(
      title: series.count == 1 ? series[0].name : "", xTitle: "percentile of calls (logarithmic towards rare calls)",
      yTitle: isWide ? "latency (logarithmic)" : "latency", xTicks: ticks.filter { $0.position <= decades },
      lines: lines,
      xRange: 0...decades, isLogarithmic: isWide, yLabel: { TimeText.axis(nanos: $0) }
    ).svg
  }

  private var ticks: [Chart.Tick] {
    [
      (0, "0 %"), (log10(2), "50 %"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"), (4, "99.99 %"), (5, "99.999 %"),
      (6, "99.9999 %"),
    ]
    .map { Chart.Tick(position: $0.0, label: $0.1) }
  }

  private func points(_ latencies: Latencies) -> [(x: Double, y: Double)] {
    guard latencies.totalCount > 0 else { return [] }
    let end = log10(Double(max(latencies.totalCount, 10)))
    return stride(from: 0, through: end, by: end / 160).map { decade in
      (decade, Double(latencies.nanos(at: 100 * (1 - pow(10, -decade)))))
    }
  }
}

extension TimeText {
  /// Short, for axes: `0`, `20 µs`, `1 ms`.
  static func axis(nanos: Double) -> String {
    let (value, unit) =
      nanos < 1e3
      ? (nanos, "ns") : nanos < 1e6 ? (nanos / 1e3, "µs") : nanos < 1e9 ? (nanos / 1e6, "ms") : (nanos / 1e9, "s")
    if value == 0 { return "0" }
    let text = String(format: "%.3g", value)
    return "\(text) \(unit)"
  }
}
