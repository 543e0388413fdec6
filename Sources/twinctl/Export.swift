// twinctl export

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinText

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write twins as lines of JSON: as they are, or with all their history.",
    discussion: """
      Without --history each line is a twin as it is now, in the order of names:
        {"name":…,"revision":…,"attributes":{"email":{"kind":"string",
         "value":"ada@example.com","valid_from":…,"recorded_at":…,"agent":…,
         "sequence":…}},"scheduled":[{"sequence":…,"attribute":"plan",…}]}

      scheduled holds what can count later: values that begin then, or return when
      one with an end has ended, and removals. Of a twin without attributes it also
      holds the last value that one had. `twinctl import` writes all of that to a
      daemon, at any time: values with their agent, purpose, confidence, evidence,
      valid_from and valid_to. Not kept: history, deleted twins, recorded times and
      sequences, which are made anew.

      With --history each line is a fact, and every one that was recorded is there:
      agents, recorded times, sequences, removals, deletions. `twind restore` makes
      a data directory of the file. A read as of any time (--valid-at, --known-at)
      gives there what it gives here. Not kept: idempotency keys. The lines cannot
      be edited, each has a checksum. For the daemon's own user and root.

      The facts of --history are those up to one sequence. Without it each twin is
      whole at its revision; twins that change meanwhile may be of different
      moments.

      The value of each kind: string a string; int a number without point; double
      a number with point or exponent; bool true or false; bytes base64; timestamp
      RFC 3339, or outside of its years a number of microseconds since the epoch;
      list an array, with {"bytes":…} and {"timestamp":…} for these kinds; json the
      JSON itself, or, if that has line breaks, instead of "value" a string "text".

      A FILE gets its name when it is complete. A pipe or a device is written as it
      is.

      EXAMPLES
        twinctl export > twins.ndjson
        twinctl export acme/customer/ --output customers.ndjson
        twinctl export acme/ | twinctl import - --socket /run/other.sock
        twinctl export --history -o twins.history
        twinctl export --history | gzip > twins.history.gz
      """)

  @Argument(help: "What the names begin with (default: all).") var prefix: String?
  @Flag(help: "Write every fact, for `twind restore`.") var history = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file (default: standard output).", valueName: "file"))
  var output: String?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if history && purpose != nil {
      throw ValidationError("--history is not for a purpose: it holds everything, leave --purpose out")
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

/// What was exported so far.
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
