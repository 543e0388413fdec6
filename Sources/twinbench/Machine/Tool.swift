// Programs of this machine, and this project's sources.

import Foundation

enum Tool {
  /// The program's path; nil when it is not installed.
  static func find(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return "\(path):/usr/sbin".split(separator: ":").map { "\($0)/\(name)" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  /// The first folder above this program, or above the working directory, that has `Tests/Bench`.
  static var checkout: String? {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
    for beginning in [program, here] {
      var folder = beginning
      while folder.path != "/" {
        if FileManager.default.fileExists(atPath: folder.path + "/Tests/Bench/go/main.go") { return folder.path }
        folder.deleteLastPathComponent()
      }
    }
    return nil
  }

  /// Runs a program to its end.
  /// - Returns: what it printed, on either stream.
  static func run(
    _ command: [String], in folder: String? = nil, environment: [String: String] = [:], seconds: Double = 60
  ) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let watchdog = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: watchdog)
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    watchdog.cancel()
    guard process.terminationStatus == 0 else {
      let name = (command[0] as NSString).lastPathComponent
      let last = said.split(separator: "\n").last.map { ": \($0)" } ?? ""
      let ended = process.terminationReason == .uncaughtSignal
      throw BenchFailure(ended ? "\(name) did not finish within \(Int(seconds)) s" : "\(name) failed\(last)")
    }
    return said
  }
}
