// Which seeds to run, and the loop over them.

import ArgumentParser
import Glibc
import Simulation

struct SeedArguments: ParsableArguments {
  @Option(help: "How many seeds.") var seeds = 200
  @Option(help: "The first of them.") var first: UInt64 = 1
  @Option(help: "This one alone.") var seed: UInt64?
  @Option(help: "As many seeds as fit into this time, instead.") var minutes: Double?
  @Flag(name: .shortAndLong, help: "Print every operation of the disk.") var verbose = false

  func validate() throws {
    if seeds < 1 { throw ValidationError("--seeds must be at least 1, not \(seeds)") }
    if let minutes, minutes <= 0 { throw ValidationError("--minutes must be above 0, not \(minutes)") }
    if verbose && seed == nil { throw ValidationError("--verbose needs --seed: it prints one history") }
    if first.addingReportingOverflow(UInt64(seeds)).overflow || seed == .max {
      throw ValidationError("--first \(first) leaves no room for \(seeds) seeds")
    }
  }

  private var range: Range<UInt64> {
    if let seed { return seed..<seed + 1 }
    return first..<(minutes == nil ? first + UInt64(seeds) : .max)
  }

  /// Runs each seed; ends the program at the first failure.
  func runAll(
    _ command: String, _ run: (_ seed: UInt64, _ logLinesMax: Int?) throws -> (OperationLog, Result<Void, any Error>)
  ) throws {
    let whole = minutes.map { Int($0 * 60) } ?? range.count
    var progress = Progress(whole: whole, unit: minutes == nil ? "seeds" : "seconds")
    var done = 0
    for seed in range {
      progress.show(minutes == nil ? done : min(Int(progress.seconds), whole))
      if let minutes, progress.seconds >= minutes * 60 { break }
      let (log, result) = try run(seed, verbose ? nil : 0)
      for line in log.lines { print(line) }
      if verbose { print("digest \(String(log.digest, radix: 16))") }
      if case .failure(let failure) = result {
        progress.clear()
        print("seed \(seed): \(failure)\nrepeat with: \(command) --seed \(seed) --verbose")
        throw ExitCode.failure
      }
      done += 1
    }
    progress.clear()
    print("\(done) seeds from \(range.lowerBound): no fault in \(progress.secondsText) s")
  }
}
