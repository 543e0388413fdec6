// twinctl info

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the daemon's version, settings and limits. For its own user and root.",
    discussion: """
      EXAMPLES
        twinctl info
        twinctl info --json | jq .limits.valueBytesMax
      """)

  @OptionGroup var common: CommonArguments

  func run() throws {
    let info = try common.client().serverInfo()
    if common.json { try Terminal.print(json(info)) } else { try Terminal.write(tables(info)) }
  }

  private func tables(_ info: ServerInfo) -> String {
    var facts = Table([.init("DAEMON"), .init("VALUE")])
    facts.add(["version", info.version])
    facts.add(["socket", DisplayText.line(info.socket)])
    facts.add(["data directory", DisplayText.line(info.dataDirectory)])
    facts.add(["process", "\(info.pid)"])
    facts.add(["started", TimestampText.local(info.startTime)])
    facts.add(["access", info.isDev ? "everyone may do everything (--dev)" : "by policy"])
    facts.add(["durability", info.durability.name])
    facts.add(["sequence", FixedText.grouped(info.sequence)])
    var limits = Table([.init("LIMIT"), .init("VALUE", .right)])
    for (name, value) in info.limits { limits.add([name, FixedText.grouped(value)]) }
    return facts.text(header: Terminal.dim) + "\n" + limits.text(header: Terminal.dim)
  }

  private func json(_ info: ServerInfo) -> String {
    var limits = JSONObject()
    for (name, value) in info.limits { limits.add(name, value) }
    var object = JSONObject()
    object.add("version", info.version)
    object.add("sequence", info.sequence)
    object.add("durability", info.durability.name)
    object.add("dev", info.isDev)
    object.add("start_time", time: info.startTime)
    object.add("socket", info.socket)
    object.add("data_dir", info.dataDirectory)
    object.add("pid", info.pid)
    object.add("limits", limits)
    return object.text
  }
}
