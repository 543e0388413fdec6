// twinctl export

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinText

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write twins as lines of JSON, which `twinctl import` reads back exactly.",
    discussion: """
      Each line is a twin in the order of names:
        {"name":…,"revision":…,"attributes":{"email":{"kind":"string",
         "value":"ada@example.com","valid_from":…,"recorded_at":…,"agent":…,
         "sequence":…}}}

      The value of each kind: string a string; int a number without point; double
      a number with point or exponent; bool true or false; bytes base64; timestamp
      RFC 3339, or outside of its years a number of microseconds since the epoch;
      list an array, with {"bytes":…} and {"timestamp":…} for these kinds; json the
      JSON itself, or, if that has line breaks, instead of "value" a string "text".

      Each twin is whole at its revision; twins that change meanwhile may be of
      different moments.

      EXAMPLES
        twinctl export > twins.ndjson
        twinctl export acme/customer/ --output customers.ndjson
        twinctl export acme/ | twinctl import - --socket /run/other.sock
      """)

  @Argument(help: "What the names begin with (default: all).") var prefix: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file when complete.", valueName: "file"))
  var output: String?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var common: CommonArguments

  func run() throws {
    let client = common.client()
    var options = ReadOptions()
    options.purpose = purpose ?? ""
    var pages = TwinPages(
      client: client, prefix: PrefixText.completed(prefix ?? ""), namesOnly: false, options: options)
    let file = try output.map { path throws(Failure) in try OutputFile(path) }
    // Only an operator may ask how many there are, and only of all.
    let total =
      prefix == nil && Terminal.isError ? (try? client.stats())?.counts.first { $0.name == "twin_count" } : nil
    var progress = Progress(unit: "twins")
    var (count, withheld) = (0, 0)
    while let page = try pages.next() {
      let lines = page.twins.map { line($0, page.redactions) + "\n" }.joined()
      if let file { try file.write(lines) } else { try Terminal.write(lines) }
      count += page.twins.count
      withheld += page.redactions.count
      progress.show(count, part: total.map { min(1, Double(count) / Double(max($0.value, 1))) })
    }
    progress.clear()
    try file?.finish()
    if let output { try report(count, withheld, output, progress.seconds) }
    if withheld > 0 {
      Terminal.complain("\(FixedText.count(withheld, "attribute")) withheld: see redactions in the lines")
    }
  }

  private func line(_ twin: Twin, _ redactions: [Redaction]) -> String {
    var object = twin.json
    let withheld = redactions.filter { $0.twin == twin.name }
    if !withheld.isEmpty { object.add("redactions", json: withheld.json) }
    return object.text
  }

  private func report(_ count: Int, _ withheld: Int, _ path: String, _ seconds: Double) throws(Failure) {
    guard common.json else {
      return try Terminal.print(
        "exported \(FixedText.count(count, "twin")) to \(path) in \(FixedText.format(seconds, places: 1)) s")
    }
    var object = JSONObject()
    object.add("twins", count)
    object.add("withheld", withheld)
    object.add("output", path)
    object.add("seconds", seconds)
    try Terminal.print(object.text)
  }
}
