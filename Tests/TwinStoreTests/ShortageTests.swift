// No descriptor or no memory is left, for a while: nothing latches, and writes go on by themselves.

import Glibc
import Synchronization
import Testing
import TwinCore
import TwinStore

private let shortages = [EMFILE, ENFILE, ENOMEM]

@Suite struct ShortageTests {
  private let workplace = Workplace()

  private func open(_ files: ShortFileSystem) throws -> Store {
    var options = Store.Options.small
    options.journal = JournalOptions(segmentBytes: 256 << 10, recordBytesMax: 64 << 10)
    return try Store(directory: workplace.path, options: options, fileSystem: files)
  }

  /// Fills a segment; returns the error that ended it, if one did.
  private func fillSegment(_ store: Store) -> TwinError? {
    for number in 0..<10 {
      do throws(TwinError) {
        try store.update("acme/customer/\(number)", ["text": .string(String(repeating: "x", count: 40_000))])
      } catch {
        return error
      }
    }
    return nil
  }

  @Test(arguments: shortages) func aSegmentThatCannotBeMadeDoesNotLatch(code: CInt) throws {
    let files = ShortFileSystem()
    let store = try open(files)
    defer { try? store.close() }
    files.shortage.store(code, ordering: .relaxed)
    #expect(throws: StoreError.self) { try store.prepareSegment() }
    let refusal = try #require(fillSegment(store))
    #expect(refusal.code == .resourceExhausted, "\(refusal)")
    #expect(store.failure == nil)
    // Reads of memory go on meanwhile.
    #expect(try store.revision("acme/customer/1") != nil)
    files.shortage.store(0, ordering: .relaxed)
    #expect(fillSegment(store) == nil)
  }

  @Test(arguments: shortages) func aCheckpointThatCannotSyncItsDirectoryDoesNotLatch(code: CInt) throws {
    let files = ShortFileSystem()
    let store = try open(files)
    defer { try? store.close() }
    try store.update("acme/customer/1", ["a": .int(1)])
    files.shortage.store(code, ordering: .relaxed)
    let error = #expect(throws: StoreError.self) { try store.checkpoint() }
    #expect(error?.isShortage == true && error?.latches == false)
    #expect(store.failure == nil)
    try store.update("acme/customer/1", ["a": .int(2)])
    files.shortage.store(0, ordering: .relaxed)
    #expect(try store.checkpoint().sequence == store.head)
  }

  @Test func goingOnInThePreparedSegmentTakesNoDescriptor() throws {
    let files = ShortFileSystem()
    let store = try open(files)
    defer { try? store.close() }
    try store.prepareSegment()
    files.shortage.store(EMFILE, ordering: .relaxed)
    // One segment and a half: the change from one to the other is among them.
    let text = String(repeating: "x", count: 40_000)
    for number in 0..<9 { try store.update("acme/customer/1", ["text": .string("\(number)" + text)]) }
    #expect(store.failure == nil)
    #expect(store.stats.journal.segmentCount == 2)
  }

  @Test(arguments: shortages) func aBackupThatCannotOpenItsTargetDoesNotLatch(code: CInt) throws {
    let files = ShortFileSystem()
    let store = try open(files)
    defer { try? store.close() }
    try store.update("acme/customer/1", ["a": .int(1)])
    files.shortage.store(code, ordering: .relaxed)
    let path = workplace.path + "/backup"
    #expect(throws: StoreError.self) { try store.backup(to: path) }
    #expect(store.failure == nil)
    files.shortage.store(0, ordering: .relaxed)
    #expect(try store.backup(to: path).sequence == store.head)
  }

  @Test func sqliteWithoutDescriptorsOrMemoryDoesNotLatch() {
    // CANTOPEN, NOMEM, IOERR_NOMEM, IOERR_SHMOPEN, IOERR_SHMMAP
    for code: CInt in [14, 7, 3082, 4618, 5386] {
      #expect(!StoreError.database(path: "p", operation: "read", code: code, message: "").latches, "\(code)")
    }
    // IOERR, IOERR_FSYNC, CORRUPT, NOTADB
    for code: CInt in [10, 1034, 11, 26] {
      #expect(StoreError.database(path: "p", operation: "read", code: code, message: "").latches, "\(code)")
    }
  }

  @Test func aFailedSyncIsNeverTakenForAShortage() throws {
    let disk = JournalDisk()
    disk.fault = { call, _ in call == "syncDirectory" ? Errno(ENOMEM) : nil }
    #expect(throws: Errno(EIO)) { try disk.syncDirectory("data") }
    disk.fault = { _, _ in nil }
    let journal = try disk.start()
    try journal.prepare()
    try journal.add(Written(1))
    disk.fault = { call, _ in call == "sync" ? Errno(ENOMEM) : nil }
    #expect(throws: StoreError.self) { try journal.rotate() }
    #expect(journal.failure != nil)
  }

  @Test(arguments: shortages) func aPreparedSegmentThatCannotBeNamedIsTriedAgain(code: CInt) throws {
    let disk = JournalDisk()
    let journal = try disk.start()
    try journal.prepare()
    try journal.add(Written(1))
    disk.fault = { call, _ in call == "rename" ? Errno(code) : nil }
    #expect(throws: StoreError.self) { try journal.rotate() }
    #expect(journal.failure == nil)
    disk.fault = { _, _ in nil }
    try journal.add(Written(2))
    try journal.rotate()
    try journal.add(Written(3))
    #expect(try disk.recover().records == [Written(1), Written(2), Written(3)])
  }

  @Test func aShortageSaysWhatToDo() {
    let error = StoreError.io(path: "data/journal/next", operation: "make", errno: EMFILE)
    #expect(error.description.contains("ulimit -n") && error.description.contains("--connections-max"))
  }
}

/// The machine's files; while there is a shortage, opening one gives that error.
private final class ShortFileSystem: FileSystem {
  /// 0 = none.
  let shortage = Atomic<CInt>(0)
  private let files = PosixFileSystem()

  private func open<R>(_ call: () throws(Errno) -> R) throws(Errno) -> R {
    let code = shortage.load(ordering: .relaxed)
    if code != 0 { throw Errno(code) }
    return try call()
  }

  var sqliteVFS: String? { nil }

  func makeDirectory(_ path: String, mode: UInt32) throws(Errno) { try files.makeDirectory(path, mode: mode) }

  func list(_ directory: String) throws(Errno) -> [String] {
    try open { () throws(Errno) in try files.list(directory) }
  }

  func kind(_ path: String) throws(Errno) -> FileKind? { try files.kind(path) }

  func open(_ path: String, _ access: FileAccess) throws(Errno) -> any File {
    try open { () throws(Errno) in try files.open(path, access) }
  }

  func rename(_ from: String, to: String) throws(Errno) { try files.rename(from, to: to) }

  func unlink(_ path: String) throws(Errno) { try files.unlink(path) }

  func openDirectory(_ path: String) throws(Errno) -> any Directory {
    try open { () throws(Errno) in try files.openDirectory(path) }
  }

  func lock(_ path: String) throws(Errno) -> (any FileLock)? {
    try open { () throws(Errno) in try files.lock(path) }
  }
}
