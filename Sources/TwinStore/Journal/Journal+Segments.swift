// Segments: preparing one ahead, taking it into use, deleting those that the database has made superfluous.
//
// Taking one into use, so that a crash at any point leaves a chain that recovery reads:
//   1. the old one is synced whole          – from here on a bad record in it is damage
//   2. `next` gets its header and is synced – a crash leaves a `next` that the next start removes
//   3. `next` is renamed, the folder synced – a segment with a name has a durable header
//   4. the old one is cut where it ends     – a newest segment that is not of full size has lost its successor
// The successor's header says where the old one ends, so that a crash before step 4 leaves nothing undecided.

import Glibc

/// Makes the next segment's file: `run` it outside of the commit lock, then give it back to `endPrepare`.
package final class SegmentPreparation: @unchecked Sendable {
  private let folder: JournalFolder
  private let byteCount: Int
  private(set) var outcome: Result<any File, StoreError>?
  /// A sync failed: the disk can no longer be trusted.
  private(set) var isFatal = false

  init(_ folder: JournalFolder, byteCount: Int) {
    self.folder = folder
    self.byteCount = byteCount
  }

  package func run() {
    do throws(StoreError) {
      outcome = .success(try make())
    } catch {
      outcome = .failure(error)
    }
  }

  private func make() throws(StoreError) -> any File {
    let path = folder.nextPath
    let fileSystem = folder.fileSystem
    if try fileSystem.exists(path) { try folder.remove(path) }
    do throws(Errno) {
      let file = try uninterrupted { () throws(Errno) in try fileSystem.open(path, .create) }
      try uninterrupted { () throws(Errno) in try file.allocate(byteCount) }
      do throws(Errno) {
        try file.sync()
      } catch {
        isFatal = true
        throw error
      }
      return file
    } catch {
      // If this fails too, the next attempt begins with it.
      try? fileSystem.unlink(path)
      switch error.code {
      case ENOSPC, EDQUOT: throw .noSpace(path: path, bytes: byteCount)
      default: throw .io(path: path, operation: "make", errno: error.code)
      }
    }
  }
}

/// Deletes segments: `run` it outside of the commit lock, then give it back to `endDelete`.
package final class SegmentDeletion: @unchecked Sendable {
  private let folder: JournalFolder
  private let numbers: [UInt64]
  private(set) var deleted: Set<UInt64> = []
  private(set) var error: StoreError?

  init(_ folder: JournalFolder, _ numbers: [UInt64]) {
    self.folder = folder
    self.numbers = numbers
  }

  package func run() {
    do throws(StoreError) {
      for number in numbers {
        try folder.remove(folder.path(of: number))
        // One by one: a crash may keep any of several removals, and a hole in the chain is damage.
        try folder.sync()
        deleted.insert(number)
      }
    } catch {
      self.error = error
    }
  }
}

extension Journal {
  /// There is no segment in reserve and there may be one.
  package var needsNext: Bool { failure == nil && prepared == nil && !isPreparing && mayGrow }

  /// Nil unless `needsNext`.
  package func beginPrepare() -> SegmentPreparation? {
    if !needsNext { return nil }
    isPreparing = true
    return SegmentPreparation(folder, byteCount: options.segmentBytes)
  }

  /// - Throws: `noSpace`, a shortage of descriptors or memory, and other errors of making a file do not concern what is
  ///   written: it may be tried again. A failed sync is the journal's failure.
  package func endPrepare(_ preparation: SegmentPreparation) throws(StoreError) {
    isPreparing = false
    guard let outcome = preparation.outcome else { preconditionFailure("the preparation has not run") }
    if let failure { throw failure }
    do throws(StoreError) {
      prepared = try outcome.get()
    } catch {
      if preparation.isFatal { failure = error }
      throw error
    }
  }

  /// A record found no room and the next segment is ready.
  package var wantsRotation: Bool { failure == nil && isRotationDue && canRotate }

  /// Makes the newest segment durable and goes on in the prepared one.
  ///
  /// - Throws: `io` of a shortage (`isShortage`) when the prepared one could not be given its name. It holds no records
  ///   yet and keeps: the next call tries again. Everything else is the journal's failure.
  package func rotate() throws(StoreError) {
    if let failure { throw failure }
    guard canRotate, let next = prepared else { preconditionFailure("rotate without a prepared segment") }
    try flush()
    try syncNow()
    let (base, isOverflow) = lastSequence.addingReportingOverflow(1)
    precondition(!isOverflow)
    let nextHeader = SegmentHeader(
      number: header.number + 1, baseSequence: max(base, header.baseSequence), previousLast: lastSequence,
      previousEnd: UInt32(end), size: UInt32(options.segmentBytes), salt: randomness())
    try step("go on after") { () throws(Errno) in try folder.write(nextHeader, to: next) }
    do throws(Errno) {
      try folder.name(nextHeader)
    } catch {
      let cause = StoreError.io(path: path, operation: "go on after", errno: error.code)
      if !error.isShortage { failure = cause }
      throw cause
    }
    try step("go on after") { () throws(Errno) in try directory.sync() }
    prepared = nil
    isRotationDue = false
    try step("cut") { () throws(Errno) in
      try uninterrupted { () throws(Errno) in try file.truncate(end) }
    }
    segments[segments.count - 1].lastSequence = lastSequence
    segments[segments.count - 1].end = end
    segments[segments.count - 1].fileBytes = end
    segments.append(SegmentInfo(nextHeader))
    begin(next, nextHeader)
  }

  /// Deletes the segments before this one; the newest stays. Pass what `newestSegment` was when a checkpoint began,
  /// once the checkpoint is durable. Nil when there is nothing to delete.
  package func beginDelete(before number: UInt64) -> SegmentDeletion? {
    let numbers = segments.dropLast().map(\.number).filter { $0 < number }
    return numbers.isEmpty ? nil : SegmentDeletion(folder, numbers)
  }

  /// A failure here concerns nothing that is needed: what is left is deleted next time.
  package func endDelete(_ deletion: SegmentDeletion) throws(StoreError) {
    segments.removeAll { deletion.deleted.contains($0.number) }
    if let error = deletion.error { throw error }
  }

  var canRotate: Bool { prepared != nil && syncInFlight == nil }
  var mayGrow: Bool { byteCount + options.segmentBytes <= options.bytesMax }
}

extension JournalFolder {
  /// Gives a prepared file its header and its name.
  func take(_ file: any File, _ header: SegmentHeader, _ directory: any Directory) throws(Errno) {
    try write(header, to: file)
    try name(header)
    try directory.sync()
  }

  /// Makes a prepared file's header durable. Again is as good as once, while it has no name.
  func write(_ header: SegmentHeader, to file: any File) throws(Errno) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: SegmentHeader.byteCount, alignment: 8)
    defer { bytes.deallocate() }
    header.encode(into: bytes)
    try file.writeAll(UnsafeRawBufferPointer(bytes), at: 0)
    try file.sync()
  }

  /// Gives the prepared file its name, which is durable once the folder has been synced.
  func name(_ header: SegmentHeader) throws(Errno) {
    try uninterrupted { () throws(Errno) in try fileSystem.rename(nextPath, to: path(of: header.number)) }
  }
}

extension SegmentInfo {
  init(_ header: SegmentHeader) {
    self.init(
      number: header.number, baseSequence: header.baseSequence, lastSequence: header.previousLast,
      end: SegmentHeader.byteCount, fileBytes: Int(header.size))
  }
}
