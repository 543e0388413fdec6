// Prints facts, grouped by commit, with what each of them changed.

import TwinText

struct HistoryTable {
  private let differences: [Difference]
  private let isLong: Bool

  init(_ differences: [Difference], isLong: Bool) {
    self.differences = differences
    self.isLong = isLong
  }

  var text: String {
    let lines = changeLines
    var text = ""
    var revision: UInt64 = 0
    for (difference, line) in zip(differences, lines) {
      if difference.fact.sequence != revision { text += head(difference) }
      revision = difference.fact.sequence
      text += line + details(difference)
    }
    return text
  }

  private func head(_ difference: Difference) -> String {
    let fact = difference.fact
    let line = "  \(fact.sequence)  \(TimestampText.local(fact.recordedAt))  \(DisplayText.line(fact.agent))"
    return Terminal.dim(DisplayText.line(line, width: Terminal.tableWidth - 1)) + "\n"
  }

  private var changeLines: [String] {
    let starts = differences.map { [$0.fact.attribute.isEmpty ? "-" : $0.fact.attribute, $0.kinds] }
    let widths = [0, 1].map { column in starts.map { DisplayText.columnCount($0[column]) }.max() ?? 0 }
    let room = max(20, Terminal.tableWidth - 4 - widths[0] - 2 - widths[1] - 2)
    var table = Table([.init(""), .init(""), .init("")], indent: 4)
    for (start, difference) in zip(starts, differences) { table.add(start + [difference.change(within: room)]) }
    return table.text(header: nil, width: Terminal.tableWidth).split(separator: "\n").map { "\($0)\n" }
  }

  private func details(_ difference: Difference) -> String {
    var lines = difference.validityLines(within: Terminal.tableWidth - 6).map { "      \($0)\n" }
    if isLong {
      var details = DetailLines(indent: 6)
      details.add("confidence", difference.fact.confidence.map { "\($0)" })
      details.add("evidence", difference.fact.evidence)
      details.add("purpose", difference.fact.purpose)
      lines.append(details.text)
    }
    return lines.joined()
  }
}
