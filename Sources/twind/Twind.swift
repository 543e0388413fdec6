// The daemon's command line.

import ArgumentParser
import CLinux
import Foundation
import TwinService

@main
struct Twind: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "twind",
    abstract: "Keeps digital twins of customers and serves them to the agents on this machine.",
    discussion: """
      Without a subcommand, twind serves.

      EXAMPLES
        twind --dev
        twind serve --socket /run/twind/twind.sock --data-dir /var/lib/twind
        TWIND_CHECKPOINT_INTERVAL=5s twind
        twind --config twind.json --print-config
        twind verify --data-dir /var/lib/twind
      """,
    version: Daemon.version,
    subcommands: [Serve.self, Verify.self, Recover.self, Restore.self],
    defaultSubcommand: Serve.self)

  static func main() async {
    // Before anything is opened.
    twind_fill_standard_descriptors()
    CrashReport.begin()
    do {
      try Descriptors.check()
      try AddressSpace.check()
    } catch {
      FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
      Foundation.exit(1)
    }
    await main(nil)
  }
}
