// A process that the benchmark started.

import CBench
import Foundation

final class Child: @unchecked Sendable {
  let name: String
  private let process = Process()
  private let log: String

  /// - Parameters:
  ///   - core: where it runs, by way of util-linux's taskset; nil = anywhere.
  ///   - log: what it says goes there.
  init(_ name: String, _ command: [String], core: Int?, log: String) throws {
    self.name = name
    self.log = log
    let command = core.map { ["/usr/bin/taskset", "-c", "\($0)"] + command } ?? command
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: log)
    process.standardError = FileHandle(forWritingAtPath: log)
    try process.run()
  }

  var pid: Int32 { process.processIdentifier }

  /// Puts the threads whose names begin so on one core, and all others that it has now on another.
  func pin(_ names: String, to core: Int, othersTo other: Int) throws {
    for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task") {
      let name = (try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/comm", encoding: .utf8)) ?? ""
      _ = bench_pin_thread(Int32(thread) ?? pid, Int32(name.hasPrefix(names) ? core : other))
    }
  }

  func stop() {
    guard process.isRunning else { return }
    process.terminate()
    let deadline = ContinuousClock.now + .seconds(10)
    while process.isRunning && ContinuousClock.now < deadline { usleep(2_000) }
    if process.isRunning { kill(pid, SIGKILL) }
    process.waitUntilExit()
  }

  /// Waits until a condition holds; throws when the process ends or ten seconds pass before.
  func wait(_ isServing: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while !isServing() {
      if !process.isRunning || ContinuousClock.now > deadline {
        stop()
        let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let last = said.split(separator: "\n").last.map { ": \($0)" } ?? ""
        throw BenchFailure("\(name) did not start\(last)")
      }
      usleep(5_000)
    }
  }
}
