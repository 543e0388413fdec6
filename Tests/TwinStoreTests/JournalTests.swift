import Synchronization
import Testing
import TwinStore

@Suite struct JournalTests {
  private let disk = JournalDisk()

  @Test func whatIsWrittenComesBackInOrder() throws {
    let journal = try disk.start()
    let records = [Written(1), Written(1, "a result"), Written(2, "12345678"), Written(7, "x")]
    try journal.add(records)
    #expect(journal.lastWritten == 7 && journal.syncedThrough == 0 && journal.isBehind)
    let (found, recovery) = try disk.recover()
    #expect(found == records)
    #expect(recovery.lastSequence == 7 && recovery.recordCount == 4 && recovery.bytesCut == 0 && !recovery.isClean)
    #expect(recovery.freeSequence == 8 && recovery.gaps.isEmpty)
  }

  @Test func aPayloadOfTheLargestSizeComesBack() throws {
    let options = JournalOptions(segmentBytes: 8 << 20)
    let journal = try disk.start(options: options)
    let large = Written(1, String(repeating: "z", count: options.recordBytesMax))
    try journal.add(large, Written(2))
    #expect(try disk.recover().records == [large, Written(2)])
    #expect(journal.room(for: options.recordBytesMax) == .wait)
  }

  @Test func recordsOfOneFlushAreOneWrite() throws {
    let journal = try disk.start()
    let before = disk.count("write")
    try journal.add(Written(1), Written(2), Written(3))
    #expect(disk.count("write") == before + 1)
    try journal.flush()
    #expect(disk.count("write") == before + 1)
  }

  @Test func anEmptyFolderIsAStartOnlyWhenNoneIsExpected() throws {
    let (records, recovery) = try disk.recover(applied: 40, isExpected: false)
    #expect(records.isEmpty && recovery.isClean && recovery.freeSequence == 41)
    #expect(throws: StoreError.missingJournal(path: "data/journal", applied: 40)) {
      try disk.recover(applied: 40)
    }
    let journal = try disk.start(applied: 40)
    try journal.add(Written(41))
    #expect(try disk.recover(applied: 40).records == [Written(41)])
  }

  @Test func aSyncCoversWhatWasWrittenWhenItBegan() throws {
    let journal = try disk.start()
    try journal.add(Written(1))
    let ticket = try #require(try journal.beginSync())
    #expect(try journal.beginSync() == nil)
    ticket.run()
    try journal.add(Written(2))
    try journal.endSync(ticket)
    #expect(journal.syncedThrough == 1 && journal.isBehind)
    try journal.syncAll()
    #expect(journal.syncedThrough == 2 && !journal.isBehind && journal.syncCount == 2)
    // The mark that followed is no reason for a further sync.
    #expect(try journal.beginSync() == nil)
    disk.losePower()
    #expect(try disk.recover().records == [Written(1), Written(2)])
  }

  @Test func aCleanStopIsSeenAndAnyOtherIsNot() throws {
    var journal = try disk.start()
    try journal.add(Written(1))
    try journal.close(isClean: true)
    disk.losePower()
    #expect(try disk.recover().recovery.isClean)
    #expect(throws: StoreError.closed) { try journal.flush() }
    journal = try disk.start()
    #expect(try !disk.recover().recovery.isClean)
    try journal.close(isClean: false)
    let (records, recovery) = try disk.recover()
    #expect(!recovery.isClean && records == [Written(1)])
  }

  @Test func aStartNeverGoesOnInAnOldSegment() throws {
    for round in 1...5 {
      let journal = try disk.start()
      #expect(journal.newestSegment == UInt64(round) && journal.segmentCount == round)
      try journal.close(isClean: true)
    }
    #expect(try disk.recover().recovery.freeSequence == 1)
  }

  @Test func aJumpIsAGapThatIsKept() throws {
    try disk.start().add(Written(1), Written(2))
    let journal = try disk.start(jump: 1_000)
    let (_, recovery) = try disk.recover()
    #expect(recovery.gaps == [3...1_002] && recovery.lastSequence == 2 && recovery.freeSequence == 1_003)
    // A result without a commit repeats the last sequence, from before the gap.
    try journal.add(Written(2, "again"), Written(1_003))
    #expect(try disk.recover().records == [Written(1), Written(2), Written(2, "again"), Written(1_003)])
    #expect(try disk.recover().recovery.freeSequence == 1_004)
  }

  @Test func theJournalGoesOnFromSegmentToSegment() throws {
    let journal = try disk.start()
    let records = (1...40).map { Written($0) }
    for record in records { try journal.addSomewhere(record) }
    #expect(journal.segmentCount > 2 && disk.segments.count == journal.segmentCount)
    #expect(journal.byteCount == disk.segments.reduce(0) { $0 + disk.files[$1]!.bytes.count })
    let whole = journal.segments.last!.baseSequence - 1
    #expect(journal.syncedThrough == whole)
    #expect(try disk.recover().records == records)
    disk.losePower()
    #expect(try disk.recover().records == Array(records[..<Int(whole)]))
  }

  @Test func roomSaysWhatToDo() throws {
    let journal = try disk.start(options: JournalOptions(segmentBytes: 512, recordBytesMax: 200, bytesMax: 1_300))
    #expect(journal.room(for: 200) == .here)
    try journal.add(Written(1, String(repeating: "a", count: 200)))
    #expect(journal.room(for: 200) == .wait && journal.needsNext && !journal.wantsRotation)
    try journal.prepare()
    #expect(journal.room(for: 200) == .afterRotation && journal.wantsRotation && !journal.needsNext)
    let ticket = try #require(try journal.beginSync())
    #expect(journal.room(for: 200) == .wait && !journal.wantsRotation)
    ticket.run()
    try journal.endSync(ticket)
    try journal.rotate()
    #expect(journal.room(for: 200) == .here && !journal.wantsRotation)
    try journal.add(Written(2, String(repeating: "a", count: 200)))
    // Two segments of 288 and 512 bytes: a third of 512 would be too much.
    #expect(journal.room(for: 200) == .full && !journal.needsNext && journal.beginPrepare() == nil)
    try journal.delete(before: journal.newestSegment)
    #expect(journal.room(for: 200) == .wait && journal.needsNext)
  }

  @Test func deletedSegmentsAreNotMissed() throws {
    let journal = try disk.start()
    for sequence in 1...40 { try journal.addSomewhere(Written(UInt64(sequence))) }
    let newest = try #require(journal.segments.last)
    let applied = newest.baseSequence - 1
    try journal.delete(before: newest.number)
    #expect(disk.segments.count == 1 && journal.segmentCount == 1)
    let records = try disk.recover(applied: applied).records
    #expect(records == (newest.baseSequence...40).map { Written($0) })
    // Without the database's word for them they are.
    #expect(throws: StoreError.self) { try disk.recover(applied: applied - 1) }
    #expect(journal.beginDelete(before: .max) == nil)
  }

  @Test func aLeftOverPreparationIsReplaced() throws {
    let journal = try disk.start()
    try journal.add(Written(1))
    try journal.prepare()
    #expect(disk.files["data/journal/next"]?.bytes.count == 512)
    disk.files["data/journal/next"]?.bytes = [1, 2, 3]
    let again = try disk.start()
    try again.addSomewhere(Written(2))
    #expect(disk.files["data/journal/next"] == nil)
    #expect(try disk.recover().records == [Written(1), Written(2)])
    try again.prepare()
    try again.close(isClean: true)
    #expect(disk.files["data/journal/next"] == nil)
  }

  /// Records over many of the reader's windows, on the machine's own disk.
  @Test func theMachinesFileSystemKeepsIt() throws {
    let place = Workplace()
    let fileSystem = PosixFileSystem()
    try fileSystem.makeDirectory(place.path, mode: 0o700)
    let options = JournalOptions(segmentBytes: 4 << 20, recordBytesMax: 3 << 20)
    func recover() throws -> (records: [Written], recovery: JournalRecovery) {
      var records: [Written] = []
      let recovery = try Journal.recover(
        dataDirectory: place.path, fileSystem: fileSystem, appliedSequence: 0, isExpected: false
      ) { (record) throws(StoreError) in
        records.append(Written(record.sequence, String(decoding: record.payload, as: UTF8.self)))
      }
      return (records, recovery)
    }
    let journal = try Journal(
      continuing: try recover().recovery, nextSequence: 1, options: options, randomness: { .random(in: 0...UInt64.max) }
    )
    let sizes = [1, 2_999_999, 8, 700_001, 1_500_000, 65_536, 3 << 20, 24]
    let records = sizes.enumerated().map { Written(UInt64($0 + 1), String(repeating: "abcdefg", count: $1 / 7 + 1)) }
    let fitting = records.map { Written($0.sequence, String($0.payload.prefix(3 << 20))) }
    for record in fitting { try journal.addSomewhere(record) }
    try journal.close(isClean: true)
    let (found, recovery) = try recover()
    #expect(found == fitting && recovery.isClean && recovery.segments.count == journal.segmentCount)
    #expect(journal.segmentCount > 2)
  }

  /// After a crash what follows the records is looked at, for records of the same group. The room that nothing was written
  /// to is not read: 64 MiB would take longer than the rest of a small start.
  @Test func whatWasNeverWrittenIsNotRead() throws {
    let place = Workplace()
    let files = CountingFileSystem()
    try files.makeDirectory(place.path, mode: 0o700)
    let segmentBytes = 64 << 20
    let options = JournalOptions(segmentBytes: segmentBytes, recordBytesMax: 1 << 20)
    func recover() throws -> JournalRecovery {
      try Journal.recover(
        dataDirectory: place.path, fileSystem: files, appliedSequence: 0, isExpected: false
      ) { (_) throws(StoreError) in }
    }
    let journal = try Journal(
      continuing: try recover(), nextSequence: 1, options: options, randomness: { .random(in: 0...UInt64.max) })
    for sequence in 1...10 as ClosedRange<UInt64> { try journal.addSomewhere(Written(sequence)) }
    files.bytesRead.store(0, ordering: .relaxed)
    #expect(try recover().bytesCut == 0)
    #expect(files.bytesRead.load(ordering: .relaxed) < 3 << 20)
    // What stands behind a hole is found all the same.
    let name = try #require(try files.list(place.path + "/journal").first { $0.hasSuffix(".journal") })
    let file = try files.open(place.path + "/journal/" + name, .readWrite)
    let place7 = 50 << 20 | 7
    #expect(try withUnsafeBytes(of: UInt8(1)) { (bytes) throws(Errno) in try file.write(bytes, at: place7) } == 1)
    #expect(try recover().bytesCut > 49 << 20)
  }
}

/// The machine's files; counts what is read from them.
private final class CountingFileSystem: FileSystem {
  let bytesRead = Atomic<Int>(0)
  private let files = PosixFileSystem()

  var sqliteVFS: String? { nil }

  func makeDirectory(_ path: String, mode: UInt32) throws(Errno) { try files.makeDirectory(path, mode: mode) }
  func list(_ directory: String) throws(Errno) -> [String] { try files.list(directory) }
  func kind(_ path: String) throws(Errno) -> FileKind? { try files.kind(path) }
  func rename(_ from: String, to: String) throws(Errno) { try files.rename(from, to: to) }
  func unlink(_ path: String) throws(Errno) { try files.unlink(path) }
  func openDirectory(_ path: String) throws(Errno) -> any Directory { try files.openDirectory(path) }
  func lock(_ path: String) throws(Errno) -> (any FileLock)? { try files.lock(path) }

  func open(_ path: String, _ access: FileAccess) throws(Errno) -> any File {
    CountingFile(try files.open(path, access), self)
  }

  private final class CountingFile: File {
    private let file: any File
    private let files: CountingFileSystem

    init(_ file: any File, _ files: CountingFileSystem) {
      self.file = file
      self.files = files
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int {
      let count = try file.read(into: buffer, at: offset)
      files.bytesRead.add(count, ordering: .relaxed)
      return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Errno) -> Int {
      try file.write(bytes, at: offset)
    }

    func allocate(_ length: Int) throws(Errno) { try file.allocate(length) }
    func truncate(_ length: Int) throws(Errno) { try file.truncate(length) }
    func sync() throws(Errno) { try file.sync() }
    func size() throws(Errno) -> Int { try file.size() }
    func dataEnd() throws(Errno) -> Int { try file.dataEnd() }
  }
}
