// twind-simulate: histories on a simulated disk.

import ArgumentParser

@main
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "twind-simulate",
    abstract: "Runs histories on a simulated disk and checks what a crash leaves of them.",
    discussion: """
      A seed is a history: the same seed gives the same calls, crashes and faults
      on every machine. A failing seed is named and can be run again by itself
      with --seed and --verbose, which prints every operation of the disk.

      Exit codes: 0 no fault found, 1 a fault found, 64 wrong arguments.

      EXAMPLES
        twind-simulate run --seeds 2000
        twind-simulate faults
        twind-simulate disk --seeds 200
        twind-simulate disk --seed 17 --verbose
        twind-simulate disk --seeds 200 --pretend sync
        twind-simulate journal --seeds 2000
        twind-simulate check-history events.ndjson
      """,
    subcommands: [
      RunCommand.self, FaultsCommand.self, MigrationCommand.self, DiskCommand.self, JournalCommand.self,
      CheckHistory.self,
    ])
}
