// Single steps of a store on a disk that fails under them: reads stop writes, a watch sees whole commits only.

import Glibc
import Simulation
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct FailingDiskTests {
  private static let names = (0..<4).map { "a/b/\($0)" }

  /// Runs `body` on a store with the twins of `names`, which are of one commit, in memory or not.
  private func withStore(isCold: Bool, _ body: (Store, SimulatedDisk) throws -> Void) throws {
    let disk = SimulatedDisk(seed: 1)
    let mount = disk.mount()
    for path in ["/data", "/backups"] { try mount.makeDirectory(path, mode: 0o700) }
    try mount.syncDirectory("/")
    let vfs = SimulatedVFS(mount, wallMicros: { 1_750_000_000_000_000 })
    defer { withExtendedLifetime(vfs) {} }
    var options = Store.Options()
    options.journal = JournalOptions(segmentBytes: 16_384, recordBytesMax: 8_192)
    options.slices.twinsMax = 1
    var store = try Store(directory: "/data", options: options, fileSystem: mount)
    try write(store)
    if isCold {
      try store.close()
      store = try Store(directory: "/data", options: options, fileSystem: mount)
      // What SQLite has in memory counts no more.
      try write(store, ["a/b/other"])
      _ = try store.checkpoint()
    }
    try body(store, disk)
  }

  private func write(_ store: Store, _ names: [String] = Self.names) throws {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let batch = requests.batch(names.map { requests.update($0, [requests.set("n", .int(1))]) })
    _ = try store.commit(try Command(batch: batch, agent: Text(requests.text("tester"))), .none)
  }

  private static let reads: [(name: String, run: @Sendable (Store) throws -> Void)] = [
    ("facts", { store in _ = try Array(names[0].utf8).withUnsafeBytes { try store.facts(of: TwinName($0)) } }),
    ("names", { store in _ = try store.names(prefix: [], after: [], limit: 10) }),
    ("commits", { store in _ = try store.storedCommits(after: 0, atLeast: 1) }),
    ("a twin", { store in _ = try store.twin(Array(names[0].utf8), in: .unlimited) }),
    ("a load", { store in try Array(names[0].utf8).withUnsafeBytes { _ = try store.pin([[UInt8]($0)], bytesMax: 1) } }),
    ("a backup", { store in _ = try store.backup(to: "/backups/b") }),
  ]

  @Test(arguments: 0..<reads.count) func aReadThatFailsStopsWrites(_ index: Int) throws {
    try withStore(isCold: true) { store, disk in
      disk.fail(Fault(at: disk.operations + 1, errno: EIO, lasts: true, only: .read))
      #expect(throws: (any Error).self) { try Self.reads[index].run(store) }
      #expect(store.failure?.latches == true, "after \(Self.reads[index].name)")
      let error = #expect(throws: TwinError.self) { try write(store) }
      #expect(error?.code == .unavailable)
    }
  }

  /// One twin to a slice: a checkpoint that fails has written some of a commit's twins and not others.
  @Test func aWatchSeesWholeCommitsWhateverACheckpointHasWritten() throws {
    for operation in 1...60 {
      try withStore(isCold: false) { store, disk in
        disk.fail(Fault(at: disk.operations + operation, errno: ENOSPC, only: .write))
        _ = try? store.checkpoint()
        disk.clearFaults()
        let commits = try store.storedCommits(after: 0, atLeast: 1)
        #expect(commits.allSatisfy { $0.changes.count == Self.names.count })
      }
    }
  }

  @Test func aBackupWhoseNameIsNotDurableIsTakenAway() throws {
    try withStore(isCold: false) { store, disk in
      _ = try store.checkpoint()
      disk.fail(Fault(at: disk.operations + 1, errno: EIO, only: .syncDirectory))
      #expect(throws: StoreError.self) { try store.backup(to: "/backups/b") }
      #expect(disk.content("/backups/b") == nil && disk.content("/backups/b.partial") == nil)
    }
  }
}
