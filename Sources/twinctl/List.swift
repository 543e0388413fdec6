// twinctl list

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List twins, sorted by name.",
    discussion: """
      The prefix is space/, space/kind/, space/kind/start-of-id, or nothing. acme means acme/.

      EXAMPLES
        twinctl list acme/customer/ --limit 20
        twinctl list acme/ --attributes email,plan
        twinctl list --names | wc -l
        twinctl list acme/ --json | jq -r 'select(.attributes.plan.value == "pro").name'

      With --json each line is a twin as in `twinctl get --json`; with --names, its name and revision.
      """)

  @Argument(help: "Only twins whose names begin with this (default: all).") var prefix: String?
  @Flag(help: "Print only names, one per line.") var names = false
  @Option(help: ArgumentHelp("List at most this many twins.", valueName: "count")) var limit: Int?
  @Option(help: ArgumentHelp("Attributes to show, separated by commas.", valueName: "names")) var attributes: String?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is \(limit): it must be at least 1") }
  }

  func run() throws {
    var options = ReadOptions()
    options.attributes = attributes.map { $0.split(separator: ",").map(String.init) } ?? []
    options.purpose = purpose ?? ""
    let prefix = PrefixText.completed(prefix ?? "")
    var pages = TwinPages(client: common.client(), prefix: prefix, namesOnly: names, options: options)
    var left = limit ?? .max
    while left > 0, let page = try pages.next(atMost: left) {
      left -= page.twins.count
      try show(page)
    }
  }

  private func show(_ page: Page) throws {
    if common.json {
      try Terminal.write(page.twins.map { line($0, page.redactions) + "\n" }.joined())
    } else if names {
      try Terminal.write(page.twins.map { DisplayText.line($0.name) + "\n" }.joined())
    } else {
      try Terminal.write(table(page.twins))
    }
  }

  private func line(_ twin: Twin, _ redactions: [Redaction]) -> String {
    if names {
      var object = JSONObject()
      object.add("name", twin.name)
      object.add("revision", twin.revision)
      return object.text
    }
    var object = twin.json
    let withheld = redactions.filter { $0.twin == twin.name }
    if !withheld.isEmpty { object.add("redactions", json: withheld.json) }
    return object.text
  }

  /// One line per twin, cut to the width of the terminal.
  private func table(_ twins: [Twin]) -> String {
    var table = Table([.init("NAME"), .init("REVISION", .right), .init("ATTRIBUTES")])
    let nameWidth = twins.map { DisplayText.columnCount(DisplayText.line($0.name)) }.max() ?? 0
    let room = Terminal.isOutput ? max(20, (Terminal.width ?? 120) - nameWidth - 13) : .max
    for twin in twins {
      let values = twin.attributes.map { "\($0.name)=\($0.value.compact())" }.joined(separator: "  ")
      table.add([DisplayText.line(twin.name), "\(twin.revision)", DisplayText.line(values, width: room)])
    }
    return Terminal.isOutput ? table.text(header: Terminal.dim) : table.text(header: nil)
  }
}
