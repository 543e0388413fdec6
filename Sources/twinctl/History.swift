// twinctl history

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct History: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what was recorded about a twin: when, by whom, and what changed.",
    discussion: """
      One line a change, newest last, with the value before it:

        REVISION  RECORDED    AGENT  ATTRIBUTE  CHANGE        VALID
        17        2026-03-01… sales  plan       basic → pro   -
        18        2026-03-02… crm    plan       trial → free  as of 2025-12-01…
                              crm    visits     3 → 4 (+1)    -

      VALID says when a change holds, where that is not from its recording on:
      `as of` a time in the past (a correction), `from` one in the future, `until`
      its end. `late` means that a newer value was known and stays.

      With --valid-at only what is about that time is shown, and the values before
      are those of that time: how what is known of it came about.

      Times are \(MomentText.forms);
      without an offset UTC.

      EXAMPLES
        twinctl history acme/customer/42
        twinctl history acme/customer/42 plan address --long
        twinctl history acme/customer/42 --since -7d
        twinctl history acme/customer/42 plan --valid-at 2026-01-01
        twinctl history acme/customer/42 --json | jq -r .agent | sort | uniq -c

      With --json each fact is a line:
        {"sequence":…,"ordinal":0,"attribute":"plan","kind":"string","value":"pro",
         "valid_from":…,"recorded_at":…,"agent":…}
      with valid_to, confidence, evidence, purpose and increment where they are
      stated; "removed":true or "deleted":true in place of a value.
      """)

  @Argument(help: ArgumentHelp("The twin: space/kind/id.", valueName: "name")) var name: String
  @Argument(help: ArgumentHelp("Attributes to show, each with all below it (default: all).", valueName: "attribute"))
  var attributes: [String] = []
  @Flag(help: "Show also how sure, based on what and for what.") var long = false
  @Option(
    help: ArgumentHelp("What was recorded from then on.", valueName: "time"),
    transform: momentArgument)
  var since: Int64?
  @Option(
    help: ArgumentHelp("What was recorded before then.", valueName: "time"),
    transform: momentArgument)
  var until: Int64?
  @Option(
    help: ArgumentHelp("What is about this time.", valueName: "time"),
    transform: momentArgument)
  var validAt: Int64?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if let since, let until, since >= until { throw ValidationError("--since must be before --until") }
  }

  func run() throws {
    var options = FactOptions()
    options.attributes = attributes
    options.purpose = purpose ?? ""
    options.recordedTo = until
    let client = common.client()
    guard common.json else { return try showTable(try client.facts(of: name, options).all()) }
    options.recordedFrom = since
    options.validFrom = validAt
    options.validTo = validAt.map { $0 + 1 }
    try showLines(try client.facts(of: name, options))
  }

  private func showLines(_ facts: FactStream) throws {
    var withheld: Set<String> = []
    while let part = try facts.next() {
      try Terminal.write(part.facts.map { $0.json.text + "\n" }.joined())
      complain(part.redactions.filter { withheld.insert($0.attribute).inserted })
    }
  }

  /// What stood before a fact is known from all that was recorded before it.
  private func showTable(_ list: FactList) throws {
    let shown = list.facts.differences(at: validAt).filter { isWanted($0.fact) }
    var table = HistoryTable(isLong: long)
    for difference in shown { table.add(difference) }
    let count = FixedText.count(shown.count, "fact")
    let head = "\(Terminal.bold(DisplayText.line(name)))\(Terminal.dim("  \(count) up to sequence \(list.sequence)"))\n"
    try Terminal.write(head + (shown.isEmpty ? "" : table.text))
    complain(list.redactions)
  }

  private func isWanted(_ fact: Fact) -> Bool {
    let isNewEnough = since.map { $0 <= fact.recordedAt } ?? true
    guard isNewEnough, let validAt else { return isNewEnough }
    return fact.validFrom <= validAt && (fact.validTo.map { validAt < $0 } ?? true)
  }

  private func complain(_ redactions: [Redaction]) {
    for redaction in redactions { Terminal.complain("\(redaction.attribute) is withheld: \(redaction.reason)") }
  }
}

/// Facts as rows; those of one commit name it once.
private struct HistoryTable {
  private let isLong: Bool
  private var table: Table
  private var revision: UInt64 = 0

  init(isLong: Bool) {
    self.isLong = isLong
    let columns: [Table.Column] = [
      .init("REVISION", .right), .init("RECORDED"), .init("AGENT"), .init("ATTRIBUTE"), .init("CHANGE"), .init("VALID"),
    ]
    let more: [Table.Column] = [.init("CONFIDENCE", .right), .init("EVIDENCE"), .init("PURPOSE")]
    table = Table(columns + (isLong ? more : []), indent: 2)
  }

  var text: String { table.text(header: Terminal.dim) }

  mutating func add(_ difference: Difference) {
    let fact = difference.fact
    let isFirst = fact.sequence != revision
    revision = fact.sequence
    let commit = ["\(fact.sequence)", TimestampText.local(fact.recordedAt), DisplayText.line(fact.agent)]
    let change = [
      fact.attribute.isEmpty ? "-" : fact.attribute, difference.change(width: isLong ? 60 : 40),
      difference.validity.isEmpty ? "-" : difference.validity,
    ]
    let more = [
      fact.confidence.map { "\($0)" } ?? "-", fact.evidence.map { DisplayText.line($0) } ?? "-", fact.purpose ?? "-",
    ]
    table.add((isFirst ? commit : ["", "", ""]) + change + (isLong ? more : []))
  }
}
