// A run as one page that needs nothing else: no network, no script.

import Foundation
import TwinText

struct HTMLPage {
  private let report: RunReport

  init(_ report: RunReport) { self.report = report }

  var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <title>twinbench: \(report.title.escaped)</title>
    <style>\(PageStyle.text)</style>
    </head>
    <body>
    <main>
    <h1>\(report.title.escaped)</h1>
    \(report.story.map { "<p>\($0.escaped)</p>" }.joined(separator: "\n"))
    \(latencies)
    \(report.charts.joined(separator: "\n"))
    \(tables)
    <section><h2>Settings</h2>
    \(Self.pairs(report.settings))
    </section>
    <section><h2>Where it ran</h2>
    \(Self.pairs(report.context + [("date", Self.date)]))
    </section>
    </main>
    </body>
    </html>

    """
  }

  private var latencies: String {
    guard !report.series.isEmpty else { return "" }
    let header = ["call"] + Latencies.percentiles.map(\.name) + ["max", "calls", "calls/s"]
    let rows = report.series.map { one in
      [one.name]
        + Latencies.percentiles.map { TimeText.format(nanos: one.measurement.latencies.nanos(at: $0.percentile)) } + [
          TimeText.format(nanos: one.measurement.latencies.max),
          FixedText.grouped(one.measurement.latencies.totalCount),
          FixedText.grouped(UInt64(one.measurement.callsPerSecond)),
        ]
    }
    return """
      <section><h2>Latency</h2>
      <p>Half of all calls were faster than p50; one in a hundred was slower than p99, one in ten thousand slower than \
      p99.99.</p>
      \(Self.table(header, rows))
      \(unsent)
      </section>
      <section><h2>Latency by percentile</h2>
      <p>How slow the slow calls were. Each step to the right looks at calls ten times as rare; a line that stays low to \
      the right means that few calls waited.</p>
      \(PercentileChart(report.series).svg)
      </section>
      <section><h2>Latency over time</h2>
      <p>Whether it stayed the same during the run. Each point is one interval.</p>
      \(report.series.map { TimeChart($0).svg }.joined(separator: "\n"))
      </section>
      """
  }

  private var unsent: String {
    report.series.filter { $0.measurement.unsentCount > 0 }.map { one in
      let count = FixedText.grouped(UInt64(one.measurement.unsentCount))
      return
        "<p class=\"note\">\(count) calls were due and not begun before the end: the rate is above what was served.</p>"
    }.joined()
  }

  private var tables: String {
    report.tables.map { part in
      "<section><h2>\(part.title.escaped)</h2>\n\(Self.table(part.header.map { $0.lowercased() }, part.rows, words: part.words))\n</section>"
    }.joined(separator: "\n")
  }

  private static func table(_ header: [String], _ rows: [[String]], words: Set<Int> = [0]) -> String {
    func style(_ column: Int) -> String { words.contains(column) ? " class=\"word\"" : "" }
    let head = header.enumerated().map { "<th scope=\"col\"\(style($0.offset))>\($0.element.escaped)</th>" }.joined()
    let body = rows.map { row in
      "<tr>" + row.enumerated().map { "<td\(style($0.offset))>\($0.element.escaped)</td>" }.joined() + "</tr>"
    }
    return
      "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead>\n<tbody>\(body.joined(separator: "\n"))</tbody></table></div>"
  }

  private static func pairs(_ pairs: [(String, String)]) -> String {
    let rows = pairs.map { "<tr><th scope=\"row\">\($0.0.escaped)</th><td>\($0.1.escaped)</td></tr>" }
    return "<table class=\"pairs\"><tbody>\(rows.joined(separator: "\n"))</tbody></table>"
  }

  private static var date: String { ISO8601DateFormatter().string(from: Date()) }
}

extension String {
  /// For text and attributes of HTML.
  var escaped: String {
    replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
      "\"", with: "&quot;")
  }
}
