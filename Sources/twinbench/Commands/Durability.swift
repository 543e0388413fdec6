// twinbench recover, checkpoint-interference and memory: single comparisons of the store under names of their own.

import ArgumentParser

struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time from process start to the first answer, against reading the same bytes from SQLite.",
    discussion: """
      EXAMPLES
        twinbench recover --twins 1000000
      """)

  @OptionGroup var options: StageOptions

  func run() throws { try options.run(.restart) }
}

struct CheckpointInterference: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What a checkpoint of every twin does to the tail of reads, against the same reads without one.",
    discussion: """
      EXAMPLES
        twinbench checkpoint-interference --twins 50000 --pin client=0,server=0
      """)

  @OptionGroup var options: StageOptions

  func run() throws { try options.run(.checkpoint) }
}

struct Memory: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What a twin with provenance takes in memory, against a Redis hash of the same names and values.",
    discussion: """
      EXAMPLES
        twinbench memory --twins 100000
      """)

  @OptionGroup var options: StageOptions

  func run() throws { try options.run(.memory) }
}

/// What these have in common: a comparison with one stage.
struct StageOptions: ParsableArguments {
  @OptionGroup var comparison: Compare

  func run(_ stage: Compare.StageName) throws {
    var comparison = comparison
    comparison.stages = [stage]
    try comparison.run()
  }
}
