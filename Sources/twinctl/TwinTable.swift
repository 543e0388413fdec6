// Prints a twin as a table.

import TwinClient
import TwinText

enum TwinTable {
  static func text(_ twin: Twin, _ redactions: [Redaction], isLong: Bool) -> String {
    var text = Terminal.bold(DisplayText.line(twin.name)) + Terminal.dim("  revision \(twin.revision)") + "\n"
    if !twin.attributes.isEmpty { text += isLong ? long(twin) : lines(twin).joined() }
    for redaction in redactions {
      text += "  \(redaction.attribute) is withheld: \(DisplayText.line(redaction.reason))\n"
    }
    return text
  }

  /// The header, and a line for each attribute.
  private static func lines(_ twin: Twin) -> [String] {
    var table = Table([.init("ATTRIBUTE"), .init("KIND"), .init("VALUE")], indent: 2)
    for attribute in twin.attributes {
      table.add([attribute.name, attribute.value.kind.rawValue, attribute.value.display()])
    }
    let text = table.text(header: Terminal.dim, width: Terminal.tableWidth)
    return text.split(separator: "\n").map { "\($0)\n" }
  }

  private static func long(_ twin: Twin) -> String {
    let lines = lines(twin)
    return lines[0] + zip(lines.dropFirst(), twin.attributes).map { $0 + details($1) }.joined()
  }

  private static func details(_ attribute: Attribute) -> String {
    var details = DetailLines(indent: 6)
    details.add("agent", attribute.agent)
    details.add("recorded", "\(TimestampText.local(attribute.recordedAt))  sequence \(attribute.sequence)")
    if attribute.validFrom != attribute.recordedAt {
      details.add("valid from", TimestampText.local(attribute.validFrom))
    }
    details.add("valid to", attribute.validTo.map(TimestampText.local))
    details.add("confidence", attribute.confidence.map { "\($0)" })
    details.add("evidence", attribute.evidence)
    details.add("purpose", attribute.purpose)
    return details.text
  }
}

/// The provenance of a fact, one line for each part.
struct DetailLines {
  private var table: Table

  init(indent: Int) { table = Table([.init(""), .init("")], indent: indent) }

  /// Adds nothing if it is not set.
  mutating func add(_ name: String, _ text: String?) {
    if let text { table.add([name, DisplayText.line(text)]) }
  }

  var text: String { table.text(header: nil, width: Terminal.tableWidth) }
}
