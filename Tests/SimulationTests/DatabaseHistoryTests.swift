// SQLite on the simulated disk: sound when the disk is, and found out when it is not.

import Simulation
import Testing

@Suite struct DatabaseHistoryTests {
  @Test(arguments: 1...30 as ClosedRange<UInt64>) func survivesCrashesByChance(seed: UInt64) throws {
    var history = try DatabaseHistory(seed: seed)
    try history.run()
    #expect(history.commits > 0)
  }

  @Test func survivesPowerFailureAtEveryOperation() throws {
    var whole = try DatabaseHistory(seed: 5, plan: .undisturbed, commitsMax: 5)
    try whole.run()
    for operation in 3...whole.disk.operations {
      var history = try DatabaseHistory(seed: 5, plan: .crash(at: operation, .power), commitsMax: 5)
      #expect(throws: Never.self, "power failure at operation \(operation)") { try history.run() }
    }
  }

  @Test(arguments: [Operation.sync, .syncDirectory]) func findsASyncThatDoesNothing(operation: Operation) throws {
    let failures = try (1...60 as ClosedRange<UInt64>).count { seed in
      var history = try DatabaseHistory(seed: seed, pretending: [operation])
      do {
        try history.run()
        return false
      } catch {
        return true
      }
    }
    #expect(failures > 0)
  }

  @Test func repeatsExactly() throws {
    func digest() throws -> UInt64 {
      var history = try DatabaseHistory(seed: 11)
      try history.run()
      return history.disk.log.digest
    }
    #expect(try digest() == digest())
  }
}
