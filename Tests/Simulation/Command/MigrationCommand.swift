// twind-simulate migration

import ArgumentParser
import Simulation

struct MigrationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migration",
    abstract: "A directory of an older version is opened: every operation fails once.",
    discussion: """
      The data directory is copied to a simulated disk and opened there, again for
      every operation of the disk: that operation fails with EIO, or ENOSPC, and
      the process is killed later or the power fails; or the process ends right
      there. The next start has to find all that was in it. The directory itself
      is only read.

      EXAMPLES
        mkdir old && tar xJf Tests/System/stores/0.1.tar.xz -C old
        twind-simulate migration old
        twind-simulate migration old --operation 57
      """)

  @Argument(help: "The data directory.") var directory: String
  @Option(help: "This operation alone.") var operation: Int?

  func run() throws {
    let sweep = try MigrationSweep(directory: directory)
    let operations = OperationSweep(
      sweep.operations, only: operation, command: "twind-simulate migration \(directory)")
    let seconds = try operations.run { try sweep.run(at: $0) }
    print(
      "\(sweep.summary): \(operations.operations.count) operations, each in \(MigrationSweep.troubleCount) kinds of "
        + "trouble: no fault in \(seconds) s")
  }
}
