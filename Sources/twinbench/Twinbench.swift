// twinbench: what a daemon on this machine can do.

import ArgumentParser

@main
enum Main {
  static func main() {
    // Before this program adds to it.
    _ = Machine.loadBefore
    Twinbench.main()
  }
}

struct Twinbench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "twinbench",
    abstract: "Measures latency and throughput of twind on this machine.",
    discussion: """
      Closed loop: each connection has one thread that sends as many calls as
      --in-flight says in one write, waits for all replies, and begins again.
      Open loop (--rate): calls are due on a schedule that does not wait, and
      latency counts from when a call was due. Twins are written first, in the
      space that --space names, and deleted afterwards.

      EXAMPLES
        twinbench read --spawn .build/release/twind --pin client=0,server=0
        twinbench read --rate 20000 --report read.html
        twinbench mix --mix read=90,update=10 --zipf 0.99 --connections 4
        twinbench compare --quick
      """,
    version: "0.1.0",
    subcommands: [
      Read.self, Write.self, Mixed.self, Compare.self, Fanout.self, Connections.self, Soak.self, Recover.self,
      CheckpointInterference.self, Memory.self, PeersCommand.self, PeerCommand.self,
    ])
}
