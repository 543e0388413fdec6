// twind-simulate run

import ArgumentParser
import Simulation

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "The whole store: agents, watches, checkpoints, crashes, faults.",
    discussion: """
      EXAMPLES
        twind-simulate run --seeds 2000
        twind-simulate run --minutes 60 --first 1000000
        twind-simulate run --seed 17 --verbose
        twind-simulate run --seeds 100 --pretend syncDirectory
      """)

  @OptionGroup var seeds: SeedArguments
  @Option(help: ArgumentHelp("An operation that the disk only pretends to do.", valueName: "operation"))
  var pretend: [Operation] = []

  func run() throws {
    var sum = StoreHistory.Counts()
    try seeds.runAll("twind-simulate run") { seed, logLinesMax in
      var history = try StoreHistory(seed: seed, pretending: Set(pretend), logLinesMax: logLinesMax)
      let result = Result { try history.run() }
      sum.add(history.counts)
      return (history.disk.log, result)
    }
    print(sum)
  }
}
