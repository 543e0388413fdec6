// Something is tried again for each operation of a disk.

import ArgumentParser

struct OperationSweep {
  let operations: ClosedRange<Int>
  /// The command that tries one of them, but for the operation.
  let command: String

  /// - Parameter only: this operation alone.
  init(_ count: Int, only: Int?, command: String) {
    operations = only.map { $0...$0 } ?? 1...count
    self.command = command
  }

  /// Returns the seconds that it took. Names the operation that failed.
  func run(_ body: (Int) throws -> Void) throws -> String {
    var progress = Progress(whole: operations.count, unit: "operations")
    for operation in operations {
      progress.show(operation - operations.lowerBound)
      do {
        try body(operation)
      } catch {
        progress.clear()
        print("\(error)\nrepeat with: \(command) --operation \(operation)")
        throw ExitCode.failure
      }
    }
    progress.clear()
    return progress.secondsText
  }
}
