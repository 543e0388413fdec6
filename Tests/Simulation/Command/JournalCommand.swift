// twind-simulate journal

import ArgumentParser
import Simulation

struct JournalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal",
    abstract: "The journal alone: records, segments, crashes, faults of the disk.",
    discussion: """
      EXAMPLES
        twind-simulate journal --seeds 2000
        twind-simulate journal --seed 17 --verbose
        twind-simulate journal --seeds 100 --pretend syncDirectory
        twind-simulate journal --seeds 5000 --kill-after-failed-sync
      """)

  @OptionGroup var seeds: SeedArguments
  @Option(help: ArgumentHelp("An operation that the disk only pretends to do.", valueName: "operation"))
  var pretend: [Operation] = []

  @Flag(help: "A restart may follow on a failed sync without a loss of power.") var killAfterFailedSync = false

  func run() throws {
    var (appends, crashes) = (0, 0)
    try seeds.runAll("twind-simulate journal") { seed, logLinesMax in
      var history = try JournalHistory(
        seed: seed, pretending: Set(pretend), killsAfterFailedSync: killAfterFailedSync, logLinesMax: logLinesMax)
      let failure = Result { try history.run() }
      appends += history.appends
      crashes += history.crashes
      return (history.disk.log, failure)
    }
    print("\(appends) records, \(crashes) crashes")
  }
}
