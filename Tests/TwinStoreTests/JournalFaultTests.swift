// A failing disk: what latches, what may be tried again, and that a sync is never repeated.

import Glibc
import Testing
import TwinStore

@Suite struct JournalFaultTests {
  private let disk = JournalDisk()

  private func failure(_ body: () throws(StoreError) -> Void) -> StoreError? {
    do throws(StoreError) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func aFailedWriteIsTheEndOfIt() throws {
    let journal = try disk.start()
    try journal.add(Written(1))
    disk.fault = { call, _ in call == "write" ? Errno(EIO) : nil }
    let error = failure { () throws(StoreError) in try journal.add(Written(2)) }
    #expect(error == .io(path: disk.segments[0], operation: "write", errno: EIO))
    disk.fault = { _, _ in nil }
    let calls = disk.calls.count
    #expect(failure { () throws(StoreError) in try journal.add(Written(3)) } == error)
    #expect(failure { () throws(StoreError) in try journal.flush() } == error)
    #expect(failure { () throws(StoreError) in _ = try journal.beginSync() } == error)
    #expect(failure { () throws(StoreError) in try journal.close(isClean: true) } == error)
    #expect(journal.failure == error && !journal.needsNext && disk.calls.count == calls)
    #expect(journal.lastWritten == 1)
    #expect(try disk.recover().records == [Written(1)])
  }

  @Test(arguments: [EIO, EINTR, ENOSPC]) func aFailedSyncIsNeverRepeated(code: CInt) throws {
    let journal = try disk.start()
    try journal.prepare()
    try journal.add(Written(1))
    let before = disk.count("sync")
    disk.fault = { call, _ in call == "sync" ? Errno(code) : nil }
    let ticket = try #require(try journal.beginSync())
    ticket.run()
    disk.fault = { _, _ in nil }
    // What another thread wrote while the sync ran.
    try journal.add(Written(2))
    let error = failure { () throws(StoreError) in try journal.endSync(ticket) }
    #expect(error == .io(path: disk.segments[0], operation: "sync", errno: code))
    #expect(failure { () throws(StoreError) in _ = try journal.beginSync() } == error)
    #expect(failure { () throws(StoreError) in try journal.rotate() } == error)
    #expect(failure { () throws(StoreError) in try journal.close(isClean: true) } == error)
    #expect(disk.count("sync") == before + 1 && journal.syncedThrough == 0 && journal.syncCount == 0)
  }

  @Test(arguments: [ENOSPC, EDQUOT, EIO]) func aSegmentThatCannotBeMadeIsTriedAgain(code: CInt) throws {
    let journal = try disk.start()
    disk.fault = { call, _ in call == "allocate" ? Errno(code) : nil }
    let error = failure { () throws(StoreError) in try journal.prepare() }
    let next = "data/journal/next"
    #expect(
      error == (code == EIO ? .io(path: next, operation: "make", errno: EIO) : .noSpace(path: next, bytes: 512)))
    #expect(journal.failure == nil && disk.files[next] == nil && journal.needsNext)
    try journal.add(Written(1))
    disk.fault = { _, _ in nil }
    try journal.prepare()
    try journal.rotate()
    try journal.add(Written(2))
    #expect(try disk.recover().records == [Written(1), Written(2)])
  }

  @Test func aSegmentThatCannotBeSyncedIsTheEndOfIt() throws {
    let journal = try disk.start()
    disk.fault = { call, _ in call == "sync" ? Errno(EIO) : nil }
    let error = failure { () throws(StoreError) in try journal.prepare() }
    #expect(error != nil && journal.failure == error && !journal.needsNext)
  }

  @Test func aFailedDeletionIsTriedAgain() throws {
    let journal = try disk.start()
    for sequence in 1...40 { try journal.addSomewhere(Written(UInt64(sequence))) }
    let count = journal.segmentCount
    // The second file does not go.
    var unlinks = 0
    disk.fault = { call, _ in
      unlinks += call == "unlink" ? 1 : 0
      return call == "unlink" && unlinks == 2 ? Errno(EIO) : nil
    }
    #expect(failure { () throws(StoreError) in try journal.delete(before: .max) } != nil)
    #expect(journal.failure == nil && journal.segmentCount == count - 1 && disk.segments.count == count - 1)
    try journal.delete(before: .max)
    #expect(disk.segments.count == 1)
  }

  @Test func interruptionsAndShortWritesAreNoFaults() throws {
    disk.writeBytesMax = 5
    let journal = try disk.start()
    disk.interruptions = 2
    try journal.add(Written(1), Written(2))
    disk.interruptions = 1
    try journal.prepare()
    try journal.rotate()
    disk.interruptions = 1
    try journal.add(Written(3))
    try journal.delete(before: .max)
    #expect(try disk.recover(applied: 2).records == [Written(3)])
  }

  /// One life: starts, commits over several segments, deletes, stops. Returns what was promised before it ended.
  private func live(on disk: JournalDisk) -> (written: Int, synced: Int, isStopped: Bool) {
    var written = 0
    var synced = 0
    do throws(StoreError) {
      let journal = try disk.start()
      defer { synced = Int(journal.syncedThrough) }
      for sequence in 1...24 {
        try journal.addSomewhere(Written(UInt64(sequence)))
        written = sequence
        if sequence % 5 == 0 { try journal.syncAll() }
      }
      try journal.delete(before: 2)
      try journal.close(isClean: true)
      return (written, Int(journal.syncedThrough), true)
    } catch {
      return (written, synced, false)
    }
  }

  /// Every call in turn fails, or the power does with it. What was synced is there, what was written is after a
  /// crash of the process, nothing comes twice or changed, and the next life works.
  @Test(arguments: [false, true]) func everyCallFailsInTurn(losesPower: Bool) throws {
    #expect(live(on: disk).isStopped)
    let all = (1...24).map { Written(UInt64($0)) }
    for index in 0..<disk.calls.count {
      let disk = JournalDisk()
      var isDead = false
      disk.fault = { _, call in
        isDead = isDead || (losesPower && call >= index)
        return isDead || call == index ? Errno(EIO) : nil
      }
      let promised = live(on: disk)
      disk.fault = { _, _ in nil }
      if losesPower { disk.losePower() }
      // The segment that a life deletes holds the first of the records.
      let isDeleted = disk.segments.first.map { $0.hasSuffix("2.journal") } ?? false
      let applied = isDeleted ? disk.baseSequence(of: disk.segments[0]) - 1 : 0
      let (found, recovery) = try disk.recover(applied: applied, isExpected: promised.synced > 0)
      let last = Int(recovery.lastSequence)
      #expect(found == Array(all[Int(applied)..<max(last, Int(applied))]))
      #expect(last >= (losesPower ? promised.synced : promised.written), "call \(index)")
      let journal = try disk.start(applied: applied, jump: 1_000)
      try journal.add(Written(journal.segments.last!.baseSequence, "next life"))
      try journal.close(isClean: true)
      disk.losePower()
      #expect(try disk.recover(applied: applied).records == found + [Written(UInt64(last) + 1_001, "next life")])
    }
  }

  /// A start on a torn tail, stopped at every call in turn, by a crash of the process or of the machine.
  @Test(arguments: [false, true]) func aStartThatCrashedCanBeDoneAgain(losesPower: Bool) throws {
    let journal = try disk.start()
    try journal.add(Written(1), Written(2))
    try journal.syncAll()
    try journal.add(Written(3), Written(4))
    let path = disk.segments[0]
    let end = try disk.recover().recovery.segments[0].end
    for place in end - 60..<end - 50 { disk.files[path]!.bytes[place] = 0xff }
    let before = disk.calls.count
    let trial = disk.copy()
    trial.calls = []
    _ = try trial.start(jump: 100)
    let count = trial.calls.count
    for index in 0...count {
      let disk = disk.copy()
      disk.calls = []
      disk.fault = { _, call in call >= index ? Errno(EIO) : nil }
      let error = failure { () throws(StoreError) in _ = try disk.start(jump: 100) }
      #expect((error == nil) == (index >= count), "call \(index)")
      disk.fault = { _, _ in nil }
      if losesPower { disk.losePower() }
      #expect(try disk.recover().records == [Written(1), Written(2)])
      let journal = try disk.start(jump: 100)
      let next = Written(journal.segments.last!.baseSequence)
      try journal.add(next)
      try journal.close(isClean: true)
      disk.losePower()
      #expect(try disk.recover().records == [Written(1), Written(2), next])
    }
    #expect(disk.calls.count == before)
  }
}
