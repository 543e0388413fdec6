// twinbench write

import ArgumentParser
import TwinClient

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
  @OptionGroup var command: LoadCommand

  func run() throws {
    try command.run(
      .only(.update), name: "UpdateTwin",
      story: "Random twins were written: one attribute got a new value with each call (UpdateTwin).",
      durability?.level ?? .unspecified, facts: [("durability", durability?.rawValue ?? "the daemon's")])
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
