// The whole store on the simulated disk: sound when the disk is, and found out when it is not.

import Simulation
import Testing
import TwinStore

@Suite struct StoreHistoryTests {
  @Test(arguments: 1...25 as ClosedRange<UInt64>) func survivesCrashesByChance(seed: UInt64) throws {
    var history = try StoreHistory(seed: seed)
    try history.run()
    #expect(history.counts.starts > 0)
  }

  /// Among them those at which SQLite goes over to a write-ahead log.
  @Test(arguments: [Crash.process, .power]) func theFirstStartMayDieAtAnyOperation(crash: Crash) throws {
    for operation in 1...70 {
      let disk = SimulatedDisk(seed: UInt64(operation))
      let mount = disk.mount()
      try mount.makeDirectory("/data", mode: 0o700)
      try mount.syncDirectory("/")
      disk.crash(at: disk.operations + operation)
      try? start(mount)
      disk.crash(crash)
      #expect(throws: Never.self, "a crash at operation \(operation)") { try start(disk.mount()) }
    }
  }

  private func start(_ mount: Mount) throws {
    let vfs = SimulatedVFS(mount, wallMicros: { 1_750_000_000_000_000 })
    defer { withExtendedLifetime(vfs) {} }
    var options = Store.Options()
    options.journal = JournalOptions(segmentBytes: 16_384, recordBytesMax: 8_192)
    try Store(directory: "/data", options: options, fileSystem: mount).close()
  }

  @Test(arguments: [Operation.sync, .syncDirectory]) func findsWhatTheDiskOnlyPretends(
    operation: Operation
  ) throws {
    let failures = (1...15 as ClosedRange<UInt64>).count { seed in
      do {
        var history = try StoreHistory(seed: seed, pretending: [operation])
        try history.run()
        return false
      } catch {
        return true
      }
    }
    #expect(failures > 0)
  }

  @Test func anyOperationMayFail() throws {
    var sweep = try FaultSweep(seed: 50)
    for operation in stride(from: 1, through: sweep.operations, by: 29) { try sweep.run(at: operation) }
    #expect(sweep.counts.faults > 5 && sweep.counts.powerFailures > 5)
  }

  @Test func aHistoryHasAllKindsOfEvents() throws {
    var counts = StoreHistory.Counts()
    for seed in 1...20 as ClosedRange<UInt64> {
      var history = try StoreHistory(seed: seed)
      try history.run()
      counts.add(history.counts)
    }
    #expect(counts.commits > 300 && counts.reads > 100 && counts.checkpoints > 20 && counts.refusals > 0)
    #expect(counts.lost > 0 && counts.kills > 0 && counts.powerFailures > 0 && counts.faults > 0)
    #expect(counts.backups > 5 && counts.restores > 5 && counts.trimmed > 10)
  }
}
