// twinctl export

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinText

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Export twins as lines of JSON: as they are now, or with all their history.",
    discussion: """
      Without --history, each line is a twin as it is now, sorted by name:
        {"name":…,"revision":…,"attributes":{"email":{"kind":"string",
         "value":"ada@example.com","valid_from":…,"recorded_at":…,"agent":…,
         "sequence":…}},"scheduled":[{"sequence":…,"attribute":"plan",…}]}

      "scheduled" has facts that can matter later: values that begin later, values
      that return when another one ends, and removals; for a twin that has no
      attributes left, also its last value. `twinctl import` writes such a file to
      a daemon, with the agent, purpose, confidence, evidence, valid_from and
      valid_to of each value. It does not keep history and deleted twins, and gives
      new recorded times and sequences.

      With --history, each line is a fact, and every recorded fact is included:
      agents, recorded times, sequences, removals, deletions. `twind restore`
      creates a data directory from the file, where reads as of any time
      (--valid-at, --known-at) return the same as here. Idempotency keys are not
      included. Lines have checksums and cannot be edited. For the daemon's own
      user and root.

      --history exports everything up to one sequence. Without it, each twin is
      consistent, but twins that change during the export may be from different
      times.

      Values: string is a string; int a number without a point; double a number
      with a point or exponent; bool true or false; bytes base64; timestamp RFC
      3339, or microseconds since the epoch if the year does not fit; list an
      array, with {"bytes":…} and {"timestamp":…} for these kinds; json the JSON
      itself, or a string "text" instead of "value" if it has line breaks.

      A FILE gets its name when it is complete. Pipes and devices are written
      directly.

      EXAMPLES
        twinctl export > twins.ndjson
        twinctl export acme/customer/ --output customers.ndjson
        twinctl export acme/ | twinctl import - --socket /run/other.sock
        twinctl export --history -o twins.history
        twinctl export --history | gzip > twins.history.gz
      """)

  @Argument(help: "Only twins whose names begin with this (default: all).") var prefix: String?
  @Flag(help: "Export every fact, for `twind restore`.") var history = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file (default: standard output).", valueName: "file"))
  var output: String?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if history && purpose != nil {
      throw ValidationError("--history exports everything: leave --purpose out")
    }
  }

  func run() throws {
    let prefix = PrefixText.completed(prefix ?? "")
    let file = try OutputFile(output)
    var report = ExportReport(unit: history ? "facts" : "twins")
    defer { report.progress.clear() }
    if history {
      // However long it takes, unless a limit is given.
      let client = TwindClient(
        path: common.socket ?? TwindClient.defaultSocket, agent: common.agent, timeout: common.timeout)
      try HistoryExport(client: client, prefix: prefix).run(to: file, &report)
    } else {
      try PresentExport(client: common.client(), prefix: prefix, purpose: purpose ?? "").run(to: file, &report)
    }
    report.progress.clear()
    try file.finish()
    if let output, output != "-" {
      try Terminal.print(common.json ? report.json(output).text : report.text(output))
    }
    if report.withheldCount > 0 {
      Terminal.complain("\(FixedText.count(report.withheldCount, "attribute")) withheld: see redactions in the lines")
    }
  }
}

/// The counts of an export.
struct ExportReport {
  var twinCount = 0
  /// Of a history.
  var factCount: Int?
  var withheldCount = 0
  var progress: Progress

  init(unit: String) { progress = Progress(unit: unit) }

  func text(_ path: String) -> String {
    let facts = factCount.map { " with \(FixedText.count($0, "fact"))" } ?? ""
    let seconds = FixedText.format(progress.seconds, places: 1)
    return "exported \(FixedText.count(twinCount, "twin"))\(facts) to \(path) in \(seconds) s"
  }

  func json(_ path: String) -> JSONObject {
    var object = JSONObject()
    object.add("twins", twinCount)
    if let factCount { object.add("facts", factCount) } else { object.add("withheld", withheldCount) }
    object.add("output", path)
    object.add("seconds", progress.seconds)
    return object
  }
}
