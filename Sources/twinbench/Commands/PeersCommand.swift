// twinbench peers

import ArgumentParser
import TwinText

struct PeersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", abstract: "Prepares the peers of compare, and says which are missing.",
    discussion: """
      Builds the Go server and makes a Python environment with redis-py and
      grpcio, both in the checkout's .build-bench. compare does so too, but with
      --quick it does not wait for long.
      """)

  func run() throws {
    var table = Table([.init("PEER"), .init("STATE")])
    let peers: [(String, () throws -> String)] = [
      ("C echo", { "part of twinbench" }), ("SQLite", { "\(SQLiteLane.version), part of twinbench" }),
      ("Redis", { "\(RedisPeer.version) at \(try Peers.redis())" }),
      ("Go ttrpc", { try Peers.goServer(seconds: 300) }), ("Python", { try Peers.python(seconds: 300).python }),
    ]
    for (name, prepare) in peers {
      do {
        table.add([name, try prepare()])
      } catch let missing as Missing {
        table.add([name, "missing: \(missing.why)"])
      }
    }
    print(table.text(), terminator: "")
  }
}
