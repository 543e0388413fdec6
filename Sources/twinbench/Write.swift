// twinbench write

import ArgumentParser
import TwinClient
import TwinRoutes

struct Write: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "UpdateTwin of random twins: one attribute gets a new value each time.",
    discussion: """
      EXAMPLES
        twinbench write --spawn .build/release/twind
        twinbench write --spawn .build/release/twind --durability synced \\
          --connections 16
        twinbench write --in-flight 64 --value-bytes 256 --json
      """)

  @Option(help: ArgumentHelp("memory, journaled or synced (default: the daemon's).", valueName: "level"))
  var durability: DurabilityLevel?
  @OptionGroup var bench: BenchArguments

  func run() throws {
    let level = durability?.level ?? .unspecified
    try Bench(bench, name: "UpdateTwin", facts: [("durability", durability?.rawValue ?? "the daemon's")]).run {
      (client, names) in
      Calls(client, TwinServiceRoutes.updateTwin, WriteRequests(names, valueBytes: bench.valueBytes, level))
    }
  }
}

enum DurabilityLevel: String, ExpressibleByArgument, CaseIterable {
  case memory, journaled, synced

  var level: Durability {
    switch self {
    case .memory: .memory
    case .journaled: .journaled
    case .synced: .synced
    }
  }
}
