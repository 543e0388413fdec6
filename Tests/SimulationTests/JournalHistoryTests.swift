// The journal on the simulated disk: sound when the disk is, and found out when it is not.

import Simulation
import Testing

@Suite struct JournalHistoryTests {
  @Test(arguments: 1...60 as ClosedRange<UInt64>) func survivesCrashesByChance(seed: UInt64) throws {
    var history = try JournalHistory(seed: seed)
    try history.run()
    #expect(history.crashes + history.appends > 0)
  }

  @Test(arguments: [Operation.sync, .syncDirectory]) func findsASyncThatDoesNothing(operation: Operation) throws {
    let failures = try (1...60 as ClosedRange<UInt64>).count { seed in
      var history = try JournalHistory(seed: seed, pretending: [operation])
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
      var history = try JournalHistory(seed: 11)
      try history.run()
      return history.disk.log.digest
    }
    #expect(try digest() == digest())
  }
}
