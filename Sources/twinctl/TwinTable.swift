// A twin as a table.

import TwinClient
import TwinText

enum TwinTable {
  static func text(_ twin: Twin, _ redactions: [Redaction], isLong: Bool) -> String {
    var text = Terminal.bold(DisplayText.line(twin.name)) + Terminal.dim("  revision \(twin.revision)") + "\n"
    if !twin.attributes.isEmpty {
      text += (isLong ? long(twin) : short(twin)).text(header: Terminal.dim)
    }
    for redaction in redactions {
      text += "  \(redaction.attribute) is withheld: \(DisplayText.line(redaction.reason))\n"
    }
    return text
  }

  private static func short(_ twin: Twin) -> Table {
    var table = Table([.init("ATTRIBUTE"), .init("KIND"), .init("VALUE")], indent: 2)
    for attribute in twin.attributes {
      table.add([attribute.name, attribute.value.kind.rawValue, attribute.value.display()])
    }
    return table
  }

  private static func long(_ twin: Twin) -> Table {
    var table = Table(
      [
        .init("ATTRIBUTE"), .init("KIND"), .init("VALUE"), .init("AGENT"), .init("CONFIDENCE", .right),
        .init("EVIDENCE"), .init("PURPOSE"), .init("RECORDED"), .init("VALID FROM"), .init("VALID TO"),
        .init("SEQUENCE", .right),
      ], indent: 2)
    for attribute in twin.attributes {
      table.add([
        attribute.name, attribute.value.kind.rawValue, attribute.value.display(width: 60),
        DisplayText.line(attribute.agent), attribute.confidence.map { "\($0)" } ?? "-",
        attribute.evidence.map { DisplayText.line($0) } ?? "-", attribute.purpose ?? "-",
        TimestampText.local(attribute.recordedAt), TimestampText.local(attribute.validFrom),
        attribute.validTo.map(TimestampText.local) ?? "-", "\(attribute.sequence)",
      ])
    }
    return table
  }
}
