// A history of the journal alone on a simulated disk: appends, syncs, new and deleted segments, crashes, faults.
//
// Promises checked after each crash: every record written is there after a kill and every record synced after a power
// failure, in their order, nothing else; no sequence is issued twice; a clean stop is found to be clean; after a
// failed sync there is no second one.

import Glibc
import TwinStore

package struct JournalHistory {
  private static let directory = "/data"
  private static let options = JournalOptions(segmentBytes: 4_096, recordBytesMax: 1_024, bytesMax: 32_768)

  package let disk: SimulatedDisk
  private var random: Random
  private let killsAfterFailedSync: Bool
  private var model = JournalModel()
  private var isExpected = false
  private var stoppedClean = true
  private var nextSequence: UInt64 = 1
  package private(set) var appends = 0
  package private(set) var crashes = 0

  /// - Parameters:
  ///   - pretending: operations that the disk only pretends to do.
  ///   - killsAfterFailedSync: a new process may follow on a failed sync without a loss of power. It reads from memory
  ///     what the disk does not have.
  package init(
    seed: UInt64, pretending: Set<Operation> = [], killsAfterFailedSync: Bool = false, logLinesMax: Int? = 0
  ) throws {
    random = Random(seed: seed)
    self.killsAfterFailedSync = killsAfterFailedSync
    disk = SimulatedDisk(seed: random.next(), logLinesMax: logLinesMax)
    let mount = disk.mount()
    try mount.makeDirectory(Self.directory, mode: 0o700)
    try mount.syncDirectory("/")
    disk.pretend(pretending)
    disk.setInterruptions(perMille: random.pick([0, 0, 30]))
  }

  package mutating func run() throws(HistoryFailure) {
    for _ in 0..<random.within(2...6) {
      try process(crash: random.chance(850) ? random.pick([.power, .power, .process]) : nil)
    }
    try process(crash: nil)
    try process(crash: nil)
  }

  private mutating func process(crash: Crash?) throws(HistoryFailure) {
    let mount = disk.mount()
    let syncFails = crash == nil ? false : disturb()
    do {
      let journal = try begin(mount)
      for _ in 0..<random.within(1...120) where !disk.isCrashed { try step(journal) }
      try journal.close(isClean: true)
      if disk.isCrashed { throw Errno(EIO) }
      model.noteWritten()
      model.noteSynced(model.count)
      stoppedClean = true
    } catch let failure as HistoryFailure {
      throw failure
    } catch let error as StoreError {
      if case .damaged = error { throw HistoryFailure("a crash was taken for damage: \(error)") }
      if crash == nil { throw HistoryFailure("an undisturbed process met an error: \(error)") }
    } catch {
      if crash == nil { throw HistoryFailure("an undisturbed process met an error: \(error)") }
    }
    try end(syncFails && !killsAfterFailedSync ? .power : crash)
  }

  private mutating func end(_ crash: Crash?) throws(HistoryFailure) {
    if let file = disk.resynced.first { throw HistoryFailure("\(file) was synced again after a failed sync") }
    disk.clearFaults()
    disk.setSpace(nil)
    guard let crash else { return }
    crashes += 1
    disk.crash(crash)
    if crash == .power { model.losePower() }
  }

  /// Returns whether a sync is made to fail.
  private mutating func disturb() -> Bool {
    let soon = disk.operations + random.within(1...random.pick([20, 40, 300]))
    switch random.below(10) {
    case 0..<6: disk.crash(at: soon)
    case 6: disk.setSpace(random.within(0...12_000))
    default:
      let fails =
        killsAfterFailedSync
        ? .sync
        : random.pick([
          Operation.write, .sync, .read, .open, .unlink, .truncate, .rename, .openDirectory, .syncDirectory, .allocate,
        ])
      disk.fail(Fault(at: soon, errno: random.pick([EIO, ENOSPC]), lasts: random.chance(500), only: fails))
      return fails == .sync
    }
    return false
  }

  private mutating func begin(_ mount: Mount) throws -> Journal {
    var found: [JournalModel.Entry] = []
    let recovery = try Journal.recover(
      dataDirectory: Self.directory, fileSystem: mount, appliedSequence: model.appliedSequence, isExpected: isExpected
    ) { record in
      found.append(JournalModel.Entry(sequence: record.sequence, payload: Array(record.payload)))
    }
    if stoppedClean && !recovery.isClean { throw HistoryFailure("a clean stop is not found to be clean") }
    try model.found(found)
    nextSequence = recovery.freeSequence + (recovery.isClean ? 0 : 1 << 20)
    if nextSequence <= model.lastIssued { throw HistoryFailure("sequence \(nextSequence) would be issued again") }
    stoppedClean = false
    var salts = random.fork()
    let journal = try Journal(continuing: recovery, nextSequence: nextSequence, options: Self.options) { salts.next() }
    if disk.isCrashed { throw Errno(EIO) }
    model.noteRun()
    isExpected = true
    return journal
  }

  private mutating func step(_ journal: Journal) throws {
    switch random.below(12) {
    case 0..<6: try append(to: journal)
    case 6..<8:
      try journal.flush()
      if !disk.isCrashed { model.noteWritten() }
    case 8: try sync(journal)
    case 9: try prepare(journal)
    case 10: if journal.wantsRotation { try rotate(journal) }
    default: try delete(from: journal)
    }
  }

  private mutating func append(to journal: Journal) throws {
    // Each is the only one of its kind.
    let number = withUnsafeBytes(of: appends) { Array($0) }
    let payload = number + [UInt8](repeating: 0xa5, count: random.below(random.pick([40, 1_000])))
    switch journal.room(for: payload.count) {
    case .here: break
    case .afterRotation: return try rotate(journal)
    case .wait: return try prepare(journal)
    case .full: return try delete(from: journal)
    }
    try payload.withUnsafeBytes { try journal.append(sequence: nextSequence, payload: $0) }
    try model.append(nextSequence, payload)
    // Now and then a record repeats a sequence, and another passes some over.
    nextSequence += UInt64(random.pick([0, 1, 1, 1, 1, 1, 1, 1, 5]))
    appends += 1
  }

  private mutating func sync(_ journal: Journal) throws {
    guard let ticket = try journal.beginSync() else { return }
    let covered = model.written
    // Others go on meanwhile.
    if random.chance(500) { try append(to: journal) }
    if random.chance(300) {
      try journal.flush()
      if !disk.isCrashed { model.noteWritten() }
    }
    ticket.run()
    if random.chance(300) { try append(to: journal) }
    try journal.endSync(ticket)
    if !disk.isCrashed { model.noteSynced(covered) }
  }

  private mutating func prepare(_ journal: Journal) throws {
    guard let preparation = journal.beginPrepare() else { return }
    preparation.run()
    do {
      try journal.endPrepare(preparation)
    } catch StoreError.noSpace {
      // Not a failure: space may return.
      if random.chance(300) { disk.setSpace(nil) }
    }
  }

  private mutating func rotate(_ journal: Journal) throws {
    try journal.rotate()
    if disk.isCrashed { return }
    model.noteSynced(model.count)
  }

  /// A checkpoint: everything that is synced goes to the database.
  private mutating func delete(from journal: Journal) throws {
    let newest = journal.newestSegment
    if random.chance(500) { try rotateIfWanted(journal) }
    if disk.isCrashed { return }
    model.apply()
    guard let deletion = journal.beginDelete(before: newest) else { return }
    deletion.run()
    try journal.endDelete(deletion)
  }

  private mutating func rotateIfWanted(_ journal: Journal) throws {
    if journal.wantsRotation { try rotate(journal) }
  }
}
