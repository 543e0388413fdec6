// A twind of the benchmark's own.

import Foundation
import TwinClient

struct TwindPeer {
  let socket: String
  let child: Child

  /// - Parameters:
  ///   - core: where it runs; nil = anywhere.
  ///   - data: a data directory of an earlier one; nil = an empty one.
  ///   - options: beside those that every benchmark uses.
  init(
    _ path: String, in scratch: Scratch, name: String = "twind", core: Int?, data: String? = nil, options: [String] = []
  ) throws {
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchFailure("\(path) cannot be executed: build it with swift build -c release --product twind")
    }
    let socket = scratch.path(name + ".sock")
    self.socket = socket
    let data = data ?? scratch.path(name + "-data")
    child = try scratch.start(
      name, [path, "--dev", "--socket", socket, "--data-dir", data, "--log-level", "error"] + options, core: core)
    let client = TwindClient(path: socket, timeout: .seconds(1))
    try child.wait { (try? client.health()) == .serving }
  }
}
