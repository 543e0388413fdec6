// A Redis of the benchmark's own, on a Unix socket, and requests to it.

import Foundation

struct RedisPeer {
  enum Persistence: String {
    case no, everysec, always
  }

  let socket: String
  let settings: String
  let child: Child

  init(in scratch: Scratch, name: String, core: Int?, _ persistence: Persistence = .no) throws {
    let path = try Peers.redis()
    let socket = scratch.path(name + ".sock")
    self.socket = socket
    let options =
      ["--save", ""]
      + (persistence == .no ? ["--appendonly", "no"] : ["--appendonly", "yes", "--appendfsync", persistence.rawValue])
    settings =
      persistence == .no
      ? "no snapshots, appendonly no" : "no snapshots, appendonly yes, appendfsync \(persistence.rawValue)"
    child = try scratch.start(
      name,
      [
        path, "--port", "0", "--unixsocket", socket, "--dir", try scratch.folder(name + "-data"), "--maxclients",
        "20000",
        "--logfile", scratch.path(name + ".log"),
      ] + options, core: core)
    try child.wait { (try? WireLane(socket, .resp, window: 1, [:], keyCount: 1)) != nil }
  }

  static var version: String {
    guard let path = Tool.find("redis-server"), let said = try? Tool.run([path, "--version"]) else { return "none" }
    return said.split(separator: " ").first { $0.hasPrefix("v=") }.map { String($0.dropFirst(2)) } ?? "unknown"
  }

  func lane(_ command: [String], window: Int = 1, keyCount: Int) throws -> WireLane {
    try WireLane(socket, .resp, window: window, [.read: RequestTemplate(Self.resp(command))], keyCount: keyCount)
  }

  /// Runs a command once for each key.
  func fill(_ command: [String], keyCount: Int) throws {
    let lane = try lane(command, keyCount: keyCount)
    for key in 0..<keyCount { try lane.call(Call(operation: .read, key: key)) }
  }

  static func resp(_ words: [String]) -> [UInt8] {
    Array("*\(words.count)\r\n".utf8) + words.flatMap { Array("$\($0.utf8.count)\r\n\($0)\r\n".utf8) }
  }
}
