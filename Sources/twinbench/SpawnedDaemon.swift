// A daemon of the benchmark's own, in a directory that goes away with it.

import Foundation
import TwinClient

struct SpawnedDaemon {
  let socket: String
  private let directory: URL
  private let process = Process()

  /// - Parameter core: where it runs; nil = anywhere.
  init(_ path: String, core: Int?) throws {
    let manager = FileManager.default
    guard manager.isExecutableFile(atPath: path) else {
      throw BenchFailure("\(path) cannot be executed: build it with swift build -c release --product twind")
    }
    directory = manager.temporaryDirectory.appendingPathComponent("twinbench-\(UUID().uuidString.prefix(8))")
    try manager.createDirectory(at: directory, withIntermediateDirectories: true)
    socket = directory.appendingPathComponent("s").path
    let daemon = [path, "--dev", "--socket", socket, "--data-dir", directory.path + "/data", "--log-level", "error"]
    let command = core.map { Cores.command(on: $0) + daemon } ?? daemon
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    do {
      try waitUntilServing()
    } catch {
      stop()
      throw error
    }
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: directory)
  }

  private func waitUntilServing() throws {
    let client = TwindClient(path: socket, timeout: .seconds(1))
    let deadline = ContinuousClock.now + .seconds(10)
    while (try? client.health()) != .serving {
      if !process.isRunning || ContinuousClock.now > deadline {
        throw BenchFailure("the daemon did not start: run it by hand to see why")
      }
      Foundation.Thread.sleep(forTimeInterval: 0.02)
    }
  }
}

/// An error of this side, with what to do about it.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
