// A Python client that measures itself when it is asked to.

import Foundation

/// One `Tests/Bench/python/client.py`.
final class PythonClient: @unchecked Sendable {
  private let process = Process()
  private let questions = Pipe()
  private let answers = Pipe()
  private let kind: String

  /// - Parameter kind: twind, redis or grpc.
  init(_ kind: String, _ python: (python: String, scripts: String), socket: String, keyCount: Int, core: Int?) throws {
    self.kind = kind
    let command =
      (core.map { ["/usr/bin/taskset", "-c", "\($0)"] } ?? [])
      + [python.python, python.scripts + "/client.py", kind, socket, "\(keyCount)"]
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = questions
    process.standardOutput = answers
    process.standardError = FileHandle.nullDevice
    try process.run()
    _ = try answer()
  }

  deinit {
    try? questions.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  func measure(seconds: Double) throws -> Score {
    try questions.fileHandleForWriting.write(contentsOf: Data("\(seconds)\n".utf8))
    let numbers = try answer().split(separator: " ").compactMap { Double($0) }
    guard numbers.count == 2 else { throw BenchFailure("the Python client \(kind) answered with no figures") }
    return [.median: numbers[0], .rate: numbers[1]]
  }

  private func answer() throws -> String {
    var line = Data()
    while line.last != 0x0a {
      let more = answers.fileHandleForReading.availableData
      if more.isEmpty { throw BenchFailure("the Python client \(kind) ended") }
      line += more
    }
    return String(decoding: line.dropLast(), as: UTF8.self)
  }
}
