// twinctl checkpoint

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Checkpoint: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write everything to the database now. For the daemon's own user and root.",
    discussion: """
      The daemon also does this at every --checkpoint-interval and when it stops.

      EXAMPLES
        twinctl checkpoint
        twinctl checkpoint --timeout 5m --json
      """)

  @OptionGroup var common: CommonArguments

  func run() throws {
    // It takes as long as the disk takes, unless --timeout says otherwise.
    let client = TwindClient(
      path: common.socket ?? TwindClient.defaultSocket, agent: common.agent, timeout: common.timeout)
    let result = try client.checkpoint()
    guard common.json else {
      let duration = DurationText.format(micros: result.durationMicros)
      return try Terminal.print(
        "\(FixedText.count(Int(clamping: result.twinCount), "twin")) written up to sequence \(result.sequence) in "
          + "\(duration)"
      )
    }
    var object = JSONObject()
    object.add("sequence", result.sequence)
    object.add("twin_count", result.twinCount)
    object.add("duration_micros", result.durationMicros)
    try Terminal.print(object.text)
  }
}
