// One short history again and again, each time with another operation of the disk failing: every one of them.

import Glibc

package struct FaultSweep {
  private let seed: UInt64
  /// Operations of the process that is disturbed, its start included.
  package let operations: Int
  package private(set) var counts = StoreHistory.Counts()

  package init(seed: UInt64) throws {
    self.seed = seed
    var history = try StoreHistory(seed: seed, plan: .undisturbed)
    try history.run()
    operations = history.operations
  }

  /// What may befall the process at one operation.
  package static let errors: [(name: String, plan: @Sendable (Int) -> StoreHistory.Plan)] = [
    ("EIO, then a kill", { .fault(at: $0, errno: EIO, then: .process) }),
    ("EIO, then a loss of power", { .fault(at: $0, errno: EIO, then: .power) }),
    ("ENOSPC, then a kill", { .fault(at: $0, errno: ENOSPC, then: .process) }),
    ("ENOSPC, then a loss of power", { .fault(at: $0, errno: ENOSPC, then: .power) }),
    ("a kill", { .crash(at: $0, .process) }),
    ("a loss of power", { .crash(at: $0, .power) }),
  ]

  /// The history with each of `errors` at this operation, counted from 1.
  package mutating func run(at operation: Int) throws(HistoryFailure) {
    for (name, plan) in Self.errors {
      do {
        var history = try StoreHistory(seed: seed, plan: plan(operation))
        try history.run()
        counts.add(history.counts)
      } catch {
        throw HistoryFailure("\(name) at operation \(operation): \(error)")
      }
    }
  }
}
