// Which core a process runs on, by way of util-linux's taskset.

import Foundation

enum Cores {
  private static let taskset = "/usr/bin/taskset"

  /// What stands before a command that is to run on the core.
  static func command(on core: Int) -> [String] { [taskset, "-c", "\(core)"] }

  /// Threads that are made later run there, too.
  static func pinThisProcess(to core: Int) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: taskset)
    process.arguments = ["-c", "-p", "\(core)", "\(getpid())"]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    if process.terminationStatus != 0 { throw BenchFailure("cannot run on core \(core): there may be no such core") }
  }
}
