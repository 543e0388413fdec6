// A run as a table for people.

import TwinText

extension RunReport {
  var text: String {
    var head = Table([.init(""), .init("")])
    for (name, value) in context { head.add([name, value]) }
    head.add(["settings", settings.map { "\($0.0) \($0.1)" }.joined(separator: ", ")])
    var parts = [head.text(header: nil)]
    if !series.isEmpty { parts.append(latencyTable.text()) }
    for part in tables { parts.append(Self.text(part)) }
    for one in series where one.measurement.unsentCount > 0 {
      let count = FixedText.grouped(UInt64(one.measurement.unsentCount))
      parts.append("\(count) calls were due and not begun before the end: the rate is above what was served.\n")
    }
    return parts.joined(separator: "\n")
  }

  private var latencyTable: Table {
    var table = Table(
      [.init("CALL")] + Latencies.percentiles.map { .init($0.name, .right) } + [
        .init("MAX", .right), .init("CALLS", .right), .init("CALLS/S", .right),
      ])
    for one in series {
      let latencies = one.measurement.latencies
      table.add(
        [one.name] + Latencies.percentiles.map { TimeText.format(nanos: latencies.nanos(at: $0.percentile)) } + [
          TimeText.format(nanos: latencies.max), FixedText.grouped(latencies.totalCount),
          FixedText.grouped(UInt64(one.measurement.callsPerSecond)),
        ])
    }
    return table
  }

  private static func text(_ part: Rows) -> String {
    var table = Table(
      part.header.enumerated().map { .init($0.element, part.words.contains($0.offset) ? .left : .right) })
    for row in part.rows { table.add(row) }
    return table.text()
  }
}
