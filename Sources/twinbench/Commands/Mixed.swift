// twinbench mix

import ArgumentParser

struct Mixed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mix",
    abstract: "Reads, writes, batches and watches by weight.",
    discussion: """
      read is GetTwin; update is UpdateTwin of one attribute; batch is
      BatchGetTwins of 16; watch is WatchTwins of one twin until its snapshot
      has come.

      EXAMPLES
        twinbench mix --mix read=90,update=10 --zipf 0.99 --connections 4
        twinbench mix --mix read=80,update=15,batch=4,watch=1 --rate 5000
      """)

  @Option(help: ArgumentHelp("Operations and their weights.", valueName: "weights"), transform: OptionText.mix)
  var mix = Mix([(.read, 90), (.update, 10)])
  @OptionGroup var command: LoadCommand

  func run() throws {
    try command.run(
      mix, name: "mixed calls", story: "Calls on random twins were mixed by weight: \(mix).", facts: [("mix", "\(mix)")]
    )
  }
}
