// twinbench compare

import ArgumentParser
import Foundation
import TwinClient

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "twind side by side with Redis, an echo in C, ttrpc in Go, SQLite, redis-py and grpcio.",
    discussion: """
      Each peer is started on a Unix socket in a private directory and asked for
      the same bytes; all take turns in one run. A peer that is not installed is
      named with what to install. Ratios are twind's figure by the peer's: the
      median of the rounds, the smallest and the largest.

      EXAMPLES
        twinbench compare --quick
        twinbench compare --spawn .build/release/twind --report compare.html
        twinbench compare --quick --plain
      """)

  @Option(
    help: ArgumentHelp(
      "Of \(ComparisonStage.allCases.map(\.rawValue).joined(separator: ", ")) (default: all).", valueName: "names"),
    transform: stageNames)
  var stages = ComparisonStage.allCases
  @OptionGroup var comparison: ComparisonOptions

  func run() throws { try comparison.run(stages) }

  @Sendable
  private static func stageNames(_ text: String) throws -> [ComparisonStage] {
    try text.split(separator: ",").map { name in
      guard let stage = ComparisonStage(rawValue: String(name)) else {
        let known = ComparisonStage.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("\(String(name).excerpt()) is not a stage: choose from \(known)")
      }
      return stage
    }
  }
}
