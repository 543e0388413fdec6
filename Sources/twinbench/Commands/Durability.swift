// twinbench recover, checkpoint-interference and memory: single comparisons of the store under names of their own.

import ArgumentParser

struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time from process start to the first answer, against reading the same bytes from SQLite.",
    discussion: """
      EXAMPLES
        twinbench recover --twins 1000000
      """)

  @OptionGroup var comparison: ComparisonOptions

  func run() throws { try comparison.run([.restart]) }
}

struct CheckpointInterference: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What a checkpoint of every twin does to the tail of reads, against the same reads without one.",
    discussion: """
      EXAMPLES
        twinbench checkpoint-interference --twins 50000 --pin client=0,server=0
      """)

  @OptionGroup var comparison: ComparisonOptions

  func run() throws { try comparison.run([.checkpoint]) }
}

struct Memory: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What a twin with provenance takes in memory, against a Redis hash of the same names and values.",
    discussion: """
      EXAMPLES
        twinbench memory --twins 100000
      """)

  @OptionGroup var comparison: ComparisonOptions

  func run() throws { try comparison.run([.memory]) }
}
