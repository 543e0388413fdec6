// What the simulated disk keeps, loses and reports.

import Glibc
import Simulation
import Testing
import TwinStore

@Suite struct SimulatedDiskTests {
  @Test func aKillKeepsWhatWasWritten() throws {
    let disk = SimulatedDisk(seed: 1)
    try disk.mount().make("/f", [1, 2, 3])
    disk.crash(.process)
    #expect(disk.content("/f") == [1, 2, 3])
  }

  @Test func aPowerFailureKeepsWhatWasSynced() throws {
    for seed in 0..<50 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let mount = disk.mount()
      let file = try mount.make("/f", [1, 2, 3])
      try file.sync()
      try mount.syncDirectory("/")
      try file.write([9, 9], at: 3)
      disk.crash(.power)
      #expect(disk.content("/f")?.prefix(3) == [1, 2, 3])
    }
  }

  @Test func aPowerFailureTakesPagesNamesAndSizesByChance() throws {
    var pages: Set<[UInt8]> = []
    var sizes: Set<Int> = []
    var isThere: Set<Bool> = []
    for seed in 0..<300 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let mount = disk.mount()
      let file = try mount.make("/f", [UInt8](repeating: 1, count: 8_192))
      try file.sync()
      try mount.syncDirectory("/")
      try file.write([UInt8](repeating: 2, count: 8_192), at: 0)
      try file.allocate(20_000)
      try mount.make("/g", [])
      disk.crash(.power)
      let content = try #require(disk.content("/f"))
      pages.insert([content[0], content[8_191]])
      sizes.insert(content.count)
      isThere.insert(disk.content("/g") != nil)
    }
    #expect(pages == [[1, 1], [1, 2], [2, 1], [2, 2]])
    #expect(sizes == [8_192, 20_000])
    #expect(isThere == [true, false])
  }

  @Test func aWriteIsTornAtAnyByte() throws {
    var lengths: Set<Int> = []
    for seed in 0..<2_000 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let mount = disk.mount()
      let file = try mount.make("/f", [0, 0, 0, 0])
      try file.sync()
      try mount.syncDirectory("/")
      try file.write([1, 1, 1, 1], at: 0)
      disk.crash(.power)
      lengths.insert(try #require(disk.content("/f")).count { $0 == 1 })
    }
    #expect(lengths == [0, 1, 2, 3, 4])
  }

  @Test func aRenameHappensWholeOrNotAtAll() throws {
    var outcomes: Set<[Bool]> = []
    for seed in 0..<50 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let mount = disk.mount()
      try mount.make("/old", [1]).sync()
      try mount.syncDirectory("/")
      try mount.rename("/old", to: "/new")
      disk.crash(.power)
      outcomes.insert([disk.content("/old") != nil, disk.content("/new") != nil])
    }
    #expect(outcomes == [[true, false], [false, true]])
  }

  @Test func aSyncAfterAFailedOneMakesNothingDurable() throws {
    var kept: Set<Bool> = []
    for seed in 0..<50 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let mount = disk.mount()
      let file = try mount.make("/f", [0])
      try mount.syncDirectory("/")
      try file.sync()
      try file.write([1], at: 0)
      disk.fail(Fault(at: disk.operations + 1, errno: EIO))
      #expect(throws: Errno(EIO)) { try file.sync() }
      try file.sync()
      #expect(disk.resynced == ["/f"])
      #expect(disk.content("/f") == [1])
      disk.crash(.power)
      kept.insert(disk.content("/f") == [1])
    }
    #expect(kept == [true, false])
  }

  @Test func theProcessEndsAtTheChosenOperation() throws {
    let disk = SimulatedDisk(seed: 3)
    let mount = disk.mount()
    let file = try mount.make("/f", [1])
    disk.crash(at: disk.operations + 2)
    try file.write([2], at: 0)
    #expect(throws: Errno(EIO)) { try file.sync() }
    #expect(disk.isCrashed)
    #expect(throws: Errno(EIO)) { try file.write([3], at: 0) }
    disk.crash(.process)
    let next = disk.mount()
    #expect(throws: Errno(EIO)) { try file.write([4], at: 0) }
    #expect(try next.list("/") == ["f"])
    #expect(disk.content("/f") == [2])
  }

  @Test func aFullDiskTakesWhatFitsUntilSpaceReturns() throws {
    let disk = SimulatedDisk(seed: 4)
    let mount = disk.mount()
    let file = try mount.make("/f", [])
    disk.setSpace(10)
    #expect(try file.write([UInt8](repeating: 1, count: 8), at: 0) == 8)
    #expect(try file.write([UInt8](repeating: 1, count: 8), at: 8) == 2)
    #expect(throws: Errno(ENOSPC)) { try file.write([1], at: 10) }
    #expect(throws: Errno(ENOSPC)) { try file.allocate(11) }
    #expect(try file.write([2], at: 0) == 1)
    try file.truncate(4)
    try file.allocate(10)
    disk.setSpace(nil)
    try file.allocate(100)
    #expect(try file.size() == 100)
  }

  @Test func aFaultHitsItsOperationOnceOrFromThereOn() throws {
    let disk = SimulatedDisk(seed: 5)
    let mount = disk.mount()
    disk.fail(Fault(at: disk.operations + 1, errno: EMFILE))
    #expect(throws: Errno(EMFILE)) { try mount.make("/f", []) }
    let file = try mount.make("/f", [])
    disk.fail(Fault(at: disk.operations + 1, errno: EIO, lasts: true, only: .truncate))
    try file.write([1], at: 0)
    for _ in 0..<3 { #expect(throws: Errno(EIO)) { try file.truncate(0) } }
    disk.clearFaults()
    try file.truncate(0)
  }

  @Test func callsAreInterruptedAndShort() throws {
    let disk = SimulatedDisk(seed: 6)
    disk.setInterruptions(perMille: 200)
    let mount = disk.mount()
    let file = try mount.open("/f", .create)
    let bytes = (0..<1_000).map { UInt8($0 % 251) }
    var (short, interrupted) = (0, 0)
    for _ in 0..<100 {
      do throws(Errno) {
        if try file.write(bytes, at: 0) < bytes.count { short += 1 }
      } catch {
        #expect(error == Errno(EINTR))
        interrupted += 1
      }
    }
    #expect(short > 0 && interrupted > 0)
    try bytes.withUnsafeBytes { try file.writeAll($0, at: 0) }
    #expect(disk.content("/f") == bytes)
  }

  @Test func aLockEndsWithItsHolderOrItsProcess() throws {
    let disk = SimulatedDisk(seed: 7)
    let mount = disk.mount()
    var lock = try mount.lock("/lock")
    #expect(lock != nil)
    #expect(try mount.lock("/lock") == nil)
    lock = nil
    lock = try mount.lock("/lock")
    #expect(lock != nil)
    disk.crash(.process)
    let next = try disk.mount().lock("/lock")
    #expect(next != nil)
  }
}

extension FileSystem {
  @discardableResult
  fileprivate func make(_ path: String, _ bytes: [UInt8]) throws(Errno) -> any File {
    let file = try open(path, .create)
    _ = try file.write(bytes, at: 0)
    return file
  }
}

extension File {
  @discardableResult
  fileprivate func write(_ bytes: [UInt8], at offset: Int) throws(Errno) -> Int {
    try bytes.withUnsafeBufferPointer { bytes throws(Errno) in try write(UnsafeRawBufferPointer(bytes), at: offset) }
  }
}
