// Which seeds to run, and the loop over them.

import ArgumentParser
import Glibc
import Simulation

struct SeedArguments: ParsableArguments {
  @Option(help: "How many seeds.") var seeds = 200
  @Option(help: "The first of them.") var first: UInt64 = 1
  @Option(help: "This one alone.") var seed: UInt64?
  @Flag(name: .shortAndLong, help: "Print every operation of the disk.") var verbose = false

  func validate() throws {
    if seeds < 1 { throw ValidationError("--seeds must be at least 1, not \(seeds)") }
    if verbose && seed == nil { throw ValidationError("--verbose needs --seed: it prints one history") }
    if first.addingReportingOverflow(UInt64(seeds)).overflow {
      throw ValidationError("--first \(first) leaves no room for \(seeds) seeds")
    }
  }

  private var range: Range<UInt64> { seed.map { $0..<$0 + 1 } ?? first..<first + UInt64(seeds) }

  /// Runs each seed; ends the program at the first failure.
  func runAll(
    _ command: String, _ run: (_ seed: UInt64, _ logLinesMax: Int?) throws -> (OperationLog, Result<Void, any Error>)
  ) throws {
    var progress = Progress(whole: range.count, unit: "seeds")
    for seed in range {
      progress.show(Int(seed - range.lowerBound))
      let (log, result) = try run(seed, verbose ? nil : 0)
      for line in log.lines { print(line) }
      if verbose { print("digest \(String(log.digest, radix: 16))") }
      if case .failure(let failure) = result {
        progress.clear()
        print("seed \(seed): \(failure)\nrepeat with: \(command) --seed \(seed) --verbose")
        throw ExitCode.failure
      }
    }
    progress.clear()
    print("\(range.count) seeds from \(range.lowerBound): no fault in \(progress.secondsText) s")
  }
}
