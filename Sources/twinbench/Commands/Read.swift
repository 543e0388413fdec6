// twinbench read

import ArgumentParser

struct Read: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "GetTwin of random twins, whole.",
    discussion: """
      EXAMPLES
        twinbench read --spawn .build/release/twind
        twinbench read --spawn .build/release/twind --pin client=0,server=0
        twinbench read --in-flight 64 --decode none --json
        twinbench read --rate 20000 --arrivals poisson --report read.html
      """)

  @OptionGroup var command: LoadCommand

  func run() throws {
    try command.run(.only(.read), name: "GetTwin", story: "Random twins were read whole, one for each call (GetTwin).")
  }
}
