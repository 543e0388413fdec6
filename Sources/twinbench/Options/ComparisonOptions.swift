// What all comparisons have in common: the daemon, the rounds, the twins, the output; and how they are run.

import ArgumentParser
import Foundation
import TwinClient

enum ComparisonStage: String, CaseIterable {
  case read, pipelined, polling, write
  case groupCommit = "group-commit"
  case python, memory, checkpoint, restart
}

struct ComparisonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The twind to compare (default: beside this program).", valueName: "path"))
  var spawn: String?
  @Flag(help: "Less than a minute; ratios are rougher.") var quick = false
  @Flag(help: "Print only lines of a name and a ratio.") var plain = false
  @Option(help: ArgumentHelp("Turns of each contestant.", valueName: "count")) var rounds: Int?
  @Option(help: "How long a turn is.", transform: OptionText.duration) var turn: Duration?
  @Option(
    help: ArgumentHelp("Cores: client=1,server=0; stages on one core use the server's.", valueName: "cores"),
    transform: OptionText.pins)
  var pin = Pins()
  @OptionGroup(title: "Twins") var twins: TwinOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if let rounds { try OptionText.check([("--rounds", rounds, 1...1_000)]) }
    if plain && output.json { throw ValidationError("use --plain or --json, not both") }
  }

  func run(_ stages: [ComparisonStage]) throws {
    let scratch = try Scratch()
    defer { scratch.remove() }
    let cores = Machine.cores
    let core = pin.server ?? cores[0]
    let grounds = Grounds(
      twind: spawn ?? Self.neighbour, scratch: scratch, population: twins.population, isQuick: quick, core: core,
      secondCore: pin.client ?? cores.first { $0 != core })
    let (rounds, turn) = (self.rounds ?? (quick ? 7 : 15), self.turn ?? .milliseconds(quick ? 80 : 400))
    var done: [Stage] = []
    for name in stages {
      guard let stage = try Self.stage(name, grounds) else { continue }
      try stage.run(rounds: rounds, turn: turn)
      done.append(stage)
      scratch.stopAll()
    }
    let report = ComparisonReport(
      stages: done, twindVersion: try Self.version(grounds.twind),
      settings: [("rounds", "\(rounds)"), ("turn", "\(turn / .seconds(1)) s")] + twins.settings + [
        ("server core", "\(core)"), ("client core", "\(core), or \(grounds.secondCore ?? core) on two cores"),
      ])
    if plain {
      print(report.plain, terminator: "")
    } else {
      try output.write(report.run)
    }
  }

  private static func stage(_ name: ComparisonStage, _ grounds: Grounds) throws -> Stage? {
    switch name {
    case .read: try ReadStage.make(grounds)
    case .pipelined: try PipelinedStage.make(grounds)
    case .polling: try PollingStage.make(grounds)
    case .write: try WriteStage.make(grounds)
    case .groupCommit: try GroupCommitStage.make(grounds)
    case .python: try PythonStage.make(grounds)
    case .memory: try MemoryStage.make(grounds)
    case .checkpoint: try CheckpointStage.make(grounds)
    case .restart: try RestartStage.make(grounds)
    }
  }

  private static var neighbour: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/twind"
  }

  private static func version(_ twind: String) throws -> String {
    try Tool.run([twind, "--version"]).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
