// twind-simulate faults

import ArgumentParser
import Simulation

struct FaultsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults",
    abstract: "The whole store: every single operation of the disk fails once.",
    discussion: """
      One short history is run again for every operation of the disk that its
      second process makes, its start included: that operation fails with EIO, or
      ENOSPC, and the process is killed later or the power fails; or the process
      ends right there.

      EXAMPLES
        twind-simulate faults
        twind-simulate faults --seed 3
        twind-simulate faults --seed 3 --operation 217
      """)

  @Option(help: "Which history.") var seed: UInt64 = 50
  @Option(help: "This operation alone.") var operation: Int?

  func run() throws {
    var sweep = try FaultSweep(seed: seed)
    let operations = OperationSweep(sweep.operations, only: operation, command: "twind-simulate faults --seed \(seed)")
    let seconds = try operations.run { try sweep.run(at: $0) }
    print(
      "\(operations.operations.count) operations, each failing in \(FaultSweep.errors.count) ways: no fault in "
        + "\(seconds) s")
    print(sweep.counts)
  }
}
