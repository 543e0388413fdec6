// twinbench: what a daemon on this machine can do.

import ArgumentParser
import TTRPC

@main
struct Twinbench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "twinbench",
    abstract: "Measures latency and throughput of twind on this machine.",
    discussion: """
      A closed loop: each connection has one thread that sends as many calls as
      --in-flight says in one write, waits for all replies, and begins again. A
      call's latency is the time from beginning to encode these requests to its
      own reply, decoded. Twins are written first, in the space that --space
      names, and deleted afterwards.

      EXAMPLES
        twinbench read --spawn .build/release/twind --pin client=0,server=0
        twinbench read --in-flight 64 --connections 2 --duration 10s
        twinbench write --socket /run/twind.sock --json
      """,
    version: "0.1.0",
    subcommands: [Read.self, Write.self])
}
