// A seed is one history, in whatever process it runs.

import Foundation
import Testing

@Suite struct ReplayTests {
  /// Nothing that can be observed depends on the order of a dictionary.
  @Test func repeatsExactlyUnderAnotherHashSeed() throws {
    for seed in [3, 17] {
      let digests = try Set([nil, nil, "1"].map { try digest(seed: seed, deterministicHashing: $0) })
      #expect(digests.count == 1)
    }
  }

  /// The last line but the summary of the program's own report, in a process of its own.
  private func digest(seed: Int, deterministicHashing: String?) throws -> String {
    let process = Process()
    let output = Pipe()
    let tests = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    process.executableURL = tests.appending(path: "twind-simulate")
    process.arguments = ["run", "--seed", "\(seed)", "--verbose"]
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_DETERMINISTIC_HASHING"] = deterministicHashing
    process.environment = environment
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return try #require(text.split(separator: "\n").last { $0.hasPrefix("digest ") }.map(String.init))
  }
}
