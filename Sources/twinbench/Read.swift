// twinbench read

import ArgumentParser
import TwinRoutes

struct Read: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "GetTwin of random twins, whole.",
    discussion: """
      EXAMPLES
        twinbench read --spawn .build/release/twind
        twinbench read --spawn .build/release/twind --pin client=0,server=0
        twinbench read --in-flight 64 --attributes 8 --value-bytes 32 --json
      """)

  @OptionGroup var bench: BenchArguments

  func run() throws {
    try Bench(bench, name: "GetTwin", facts: []).run { (client, names) in
      Calls(client, TwinServiceRoutes.getTwin, ReadRequests(names))
    }
  }
}
