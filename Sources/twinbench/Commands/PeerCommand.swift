// twinbench peer: peers that are part of this program. compare starts them.

import ArgumentParser
import CBench
import Glibc

struct PeerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peer", abstract: "Serves as a peer of compare.", shouldDisplay: false, subcommands: [CEcho.self])
}

struct CEcho: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "c-echo", abstract: "Answers every ttrpc frame with a reply of a fixed size.")

  @Option(help: "Where to listen.") var socket: String
  @Option(help: "Bytes behind the header of a reply.") var replyBytes: Int
  @Flag(help: "Spin instead of sleeping.") var polling = false

  func validate() throws { try OptionText.check([("--reply-bytes", replyBytes, 0...4_000_000)]) }

  func run() throws {
    _ = bench_echo_serve(socket, replyBytes, polling ? 1 : 0)
    throw BenchFailure("cannot serve on \(socket): \(String(cString: strerror(errno)))")
  }
}
