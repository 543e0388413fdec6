// twinctl stats

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinText

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what the daemon is doing. For its own user and root.",
    discussion: """
      Problems are shown first: why writes are refused, why the last checkpoint
      failed. With --json, names and units are those of the API; times are RFC 3339.

      EXAMPLES
        twinctl stats
        twinctl stats --watch 1s
        twinctl stats --json | jq .twin_count
        twinctl stats --json | jq -r .failure
      """)

  @Option(
    help: ArgumentHelp("Repeat at this interval.", valueName: "duration"),
    transform: durationArgument)
  var watch: Duration?
  @OptionGroup var common: CommonArguments

  func run() throws {
    let client = common.client()
    var before: (stats: ServerStats, time: ContinuousClock.Instant)?
    while true {
      let stats = try client.stats()
      let now = ContinuousClock.now
      if common.json {
        try Terminal.print(json(stats))
      } else {
        // On a terminal each round takes the place of the one before.
        let home = watch != nil && Terminal.isOutput ? "\u{1b}[H\u{1b}[J" : ""
        let rate = before.map { calls(stats, since: $0.stats) / ((now - $0.time) / .seconds(1)) }
        try Terminal.write(
          home + StatsTable(stats, callsPerSecond: rate).text + (watch != nil && !Terminal.isOutput ? "\n" : ""))
      }
      guard let watch else { return }
      before = (stats, now)
      usleep(UInt32(clamping: Int64(watch / .microseconds(1))))
    }
  }

  private func calls(_ stats: ServerStats, since before: ServerStats) -> Double {
    Double(stats["call_count"]) - Double(before["call_count"])
  }

  private func json(_ stats: ServerStats) -> String {
    var object = JSONObject()
    for (name, value) in stats.counts {
      if !name.hasSuffix("_time") {
        object.add(name, value)
      } else if value == 0 {
        object.add(name, json: "null")
      } else {
        object.add(name, time: Int64(clamping: value))
      }
    }
    object.add("checkpoint_error", stats.checkpointError)
    object.add("failure", stats.failure)
    object.add("warning", stats.warning)
    return object.text
  }
}
