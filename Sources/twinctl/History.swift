// twinctl history

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct History: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what was recorded about a twin: when, by whom, and what changed.",
    discussion: """
      Each commit has a line with its revision, recorded time and agent. The lines
      below it show what it changed, old value → new value; the newest is last:

          17  2026-03-01T09:30:00+00:00  sales
            plan    string         basic → pro
          18  2026-03-02T10:00:00+00:00  crm
            plan    string         trial → free
              as of 2025-12-01T00:00:00+00:00
            visits  int → string   3 → many

      The second column is the kind of the value; an arrow means that the kind
      changed. If a change does not hold from its recorded time on, another line
      says so: `as of` a time in the past (a correction), `from` a time in the
      future, `until` its end. `late` means that a newer value was already known
      and is kept.

      --valid-at shows only facts about that time, and the values that were known
      for it before: how our knowledge of that time developed.

      Times are \(MomentText.forms);
      without an offset they are in UTC.

      EXAMPLES
        twinctl history acme/customer/42
        twinctl history acme/customer/42 plan address --long
        twinctl history acme/customer/42 --since -7d
        twinctl history acme/customer/42 plan --valid-at 2026-01-01
        twinctl history acme/customer/42 --json | jq -r .agent | sort | uniq -c

      With --json each fact is a line:
        {"sequence":…,"ordinal":0,"attribute":"plan","kind":"string","value":"pro",
         "valid_from":…,"recorded_at":…,"agent":…}
      plus valid_to, confidence, evidence, purpose and increment if they are set;
      "removed":true or "deleted":true instead of a value.
      """)

  @Argument(help: ArgumentHelp("The twin: space/kind/id.", valueName: "name")) var name: String
  @Argument(
    help: ArgumentHelp("Attributes to show, including those below them (default: all).", valueName: "attribute"))
  var attributes: [String] = []
  @Flag(help: "Also show confidence, evidence and purpose.") var long = false
  @Option(
    help: ArgumentHelp("Only facts recorded at this time or later.", valueName: "time"),
    transform: momentArgument)
  var since: Int64?
  @Option(
    help: ArgumentHelp("Only facts recorded before this time.", valueName: "time"),
    transform: momentArgument)
  var until: Int64?
  @Option(
    help: ArgumentHelp("Only facts that are valid at this time.", valueName: "time"),
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

  /// The value before a fact follows from everything that was recorded earlier.
  private func showTable(_ list: FactList) throws {
    let shown = list.facts.differences(at: validAt).filter { isWanted($0.fact) }
    let count = FixedText.count(shown.count, "fact")
    let head = "\(Terminal.bold(DisplayText.line(name)))\(Terminal.dim("  \(count) up to sequence \(list.sequence)"))\n"
    try Terminal.write(head + HistoryTable(shown, isLong: long).text)
    complain(list.redactions)
  }

  private func isWanted(_ fact: Fact) -> Bool {
    let isNewEnough = since.map { $0 <= fact.recordedAt } ?? true
    guard isNewEnough, let validAt else { return isNewEnough }
    return fact.validFrom <= validAt && (fact.validTo.map { validAt < $0 } ?? true)
  }

  private func complain(_ redactions: [Redaction]) {
    for redaction in redactions { Terminal.warn("\(redaction.attribute) is withheld: \(redaction.reason)") }
  }
}
