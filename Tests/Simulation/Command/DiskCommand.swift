// twind-simulate disk

import ArgumentParser
import Simulation

struct DiskCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disk",
    abstract: "SQLite alone: commits, crashes, faults of the disk.",
    discussion: """
      Proves the simulated disk and SQLite's VFS on it. With --pretend the disk
      does nothing at these operations and says that it did: then faults have to
      be found.

      EXAMPLES
        twind-simulate disk --seeds 200
        twind-simulate disk --first 1000 --seeds 5000
        twind-simulate disk --seed 17 --verbose
        twind-simulate disk --seeds 100 --pretend syncDirectory
      """)

  @OptionGroup var seeds: SeedArguments
  @Option(help: ArgumentHelp("An operation that the disk only pretends to do.", valueName: "operation"))
  var pretend: [Operation] = []

  func run() throws {
    var (commits, crashes) = (0, 0)
    try seeds.runAll("twind-simulate disk") { seed, logLinesMax in
      var history = try DatabaseHistory(seed: seed, pretending: Set(pretend), logLinesMax: logLinesMax)
      let failure = Result { try history.run() }
      commits += history.commits
      crashes += history.crashes
      return (history.disk.log, failure)
    }
    print("\(commits) commits, \(crashes) crashes")
  }
}

extension Operation: ExpressibleByArgument {}
