// The journal: an append-only log of records in preallocated segment files, each record a sequence and bytes that
// only the caller understands.
//
// Promises: a record is in the file once `flush` returned, durable once an `endSync` covered it, and then recovery
// hands it out or refuses to start. Fail-stop: after a failed write or sync every call throws that failure, nothing is
// tried again, above all no sync.
//
// Threads: it has none, and no lock. Everything is called under the caller's commit lock, except `run()` of the three
// steps (SyncTicket, SegmentPreparation, SegmentDeletion): begin and end them under the lock, run them outside of it.
// What a caller does:
//   commit:      room(for:) → append → flush
//   sync thread: beginSync → run → endSync; rotate when wantsRotation; beginPrepare → run → endPrepare
//   checkpoint:  note newestSegment when it begins; at its end beginDelete(before:) → run → endDelete

import TwinCore

package final class Journal {
  package let options: JournalOptions
  let folder: JournalFolder
  /// Its folder, held open: going on in the next segment takes no descriptor.
  let directory: any Directory
  let randomness: () -> UInt64

  /// The segments on disk, the newest last.
  package internal(set) var segments: [SegmentInfo]
  var file: any File
  /// Its path, made once: a write allocates nothing.
  var path: String
  /// Which file that was when it was taken into use; nil = the file system does not tell.
  private var identity: FileStatus.Identity?
  var header: SegmentHeader
  var seed: UInt32
  let buffer = RecordBuffer()

  /// Places in the newest segment: where its records end, those in the buffer included; where those in the file end;
  /// how far they are durable; where the last written record with a payload ends.
  var end = SegmentHeader.byteCount
  var written = SegmentHeader.byteCount
  var synced = SegmentHeader.byteCount
  var writtenPayload = SegmentHeader.byteCount
  private var appendedPayload = SegmentHeader.byteCount

  /// Sequence of the last record, of the last in the file, and of the last durable one.
  package internal(set) var lastSequence: UInt64
  package internal(set) var lastWritten: UInt64
  package internal(set) var syncedThrough: UInt64
  /// Syncs of record data since the start.
  package internal(set) var syncCount = 0
  /// Why nothing is accepted any more.
  package internal(set) var failure: StoreError?

  var prepared: (any File)?
  var isPreparing = false
  var syncInFlight: SyncTicket?
  var isRotationDue = false

  /// Room that records with a payload leave in a segment, so that a mark and a clean mark always fit, and so that the
  /// newest segment, alone, has a byte more than its records.
  static let reservedBytes = 3 * RecordHeader.byteCount

  init(
    _ folder: JournalFolder, _ directory: any Directory, _ options: JournalOptions,
    _ randomness: @escaping () -> UInt64, _ file: any File, _ header: SegmentHeader, segments: [SegmentInfo]
  ) {
    self.folder = folder
    self.directory = directory
    self.options = options
    self.randomness = randomness
    self.file = file
    path = folder.path(of: header.number)
    self.header = header
    self.segments = segments
    seed = header.seed
    lastSequence = header.previousLast
    lastWritten = lastSequence
    syncedThrough = lastSequence
    identity = try? folder.fileSystem.status(path)?.identity
  }

  /// Throws `replaced` when the newest segment's name no longer stands for the file that is written.
  func checkFile() throws(StoreError) {
    guard let identity else { return }
    if try folder.fileSystem.status(of: path)?.identity != identity { throw .replaced(path: path) }
  }

  /// Bytes of records with a payload appended since the start, and how many of them are durable.
  package private(set) var appendedBytes = 0
  package internal(set) var syncedBytes = 0
  var writtenBytes = 0
  /// Bytes of the segments on disk.
  package var byteCount: Int { segments.reduce(0) { $0 + $1.fileBytes } }
  package var segmentCount: Int { segments.count }
  /// Number of the segment that takes records.
  package var newestSegment: UInt64 { header.number }
  /// Bytes of records that are not in the file yet. The caller flushes before they are many.
  package var bufferedBytes: Int { buffer.count }
  /// A payload is written and not durable: a sync is due.
  package var isBehind: Bool { writtenPayload > synced }

  package enum Room: Equatable, Sendable {
    /// In the newest segment.
    case here
    /// In the next: call `rotate`.
    case afterRotation
    /// The next one is still being prepared, or a sync is running: try again when that has ended.
    case wait
    /// All segments together are as large as they may be: segments must be deleted first.
    case full
  }

  /// Where there is room for a record with a payload of `payloadCount` bytes.
  package func room(for payloadCount: Int) -> Room {
    precondition(payloadCount <= options.recordBytesMax, "the caller refuses larger commits")
    if end + RecordHeader.recordBytes(payloadCount) + Self.reservedBytes <= header.size { return .here }
    isRotationDue = true
    if canRotate { return .afterRotation }
    return prepared == nil && !isPreparing && !mayGrow ? .full : .wait
  }

  /// Takes a record into the buffer. There must be room for it `here`. `sequence` is the last one again, or a higher.
  package func append(sequence: UInt64, payload: UnsafeRawBufferPointer) throws(StoreError) {
    precondition(sequence == lastSequence || sequence >= max(lastSequence, header.baseSequence))
    precondition(!payload.isEmpty && payload.count <= options.recordBytesMax)
    precondition(end + RecordHeader.recordBytes(payload.count) + Self.reservedBytes <= header.size)
    if let failure { throw failure }
    lastSequence = sequence
    encode(.payload, payload)
    appendedBytes += end - appendedPayload
    appendedPayload = end
  }

  /// Puts everything that is buffered into the file, with one write.
  package func flush() throws(StoreError) {
    if let failure { throw failure }
    if buffer.count == 0 { return }
    try step("write") { () throws(Errno) in try file.writeAll(buffer.bytes, at: written) }
    buffer.clear()
    written = end
    writtenPayload = appendedPayload
    writtenBytes = appendedBytes
    lastWritten = lastSequence
  }

  /// Puts everything into the file and makes it durable; a clean stop is marked as such. The journal takes nothing
  /// more, also when this throws. No sync may be running.
  package func close(isClean: Bool) throws(StoreError) {
    if failure == .closed { return }
    try flush()
    try syncNow()
    if isClean {
      encode(.clean, UnsafeRawBufferPointer(start: nil, count: 0))
      try flush()
      try syncNow()
    }
    failure = .closed
    // Should this fail, the next start removes it.
    if prepared != nil { try? folder.remove(folder.nextPath) }
  }

  /// Says in the file that it is durable so far, when no record is there to say it.
  func mark() throws(StoreError) {
    if end + Self.reservedBytes > header.size { return }
    encode(.mark, UnsafeRawBufferPointer(start: nil, count: 0))
    try flush()
  }

  func syncNow() throws(StoreError) {
    precondition(syncInFlight == nil, "a sync is running")
    if synced == written { return }
    try step("sync") { () throws(Errno) in try file.sync() }
    syncCount += 1
    synced = written
    syncedBytes = writtenBytes
    syncedThrough = lastWritten
  }

  /// Runs a system call on the newest segment; its failure is the journal's.
  func step(_ operation: String, _ call: () throws(Errno) -> Void) throws(StoreError) {
    if let failure { throw failure }
    do throws(StoreError) {
      try folder.fileSystem.named(path, operation, call)
    } catch {
      failure = error
      throw error
    }
  }

  /// A new segment has been taken into use.
  func begin(_ file: any File, _ header: SegmentHeader) {
    self.file = file
    path = folder.path(of: header.number)
    identity = try? folder.fileSystem.status(path)?.identity
    self.header = header
    seed = header.seed
    end = SegmentHeader.byteCount
    written = end
    synced = end
    writtenPayload = end
    appendedPayload = end
  }

  private func encode(_ kind: RecordKind, _ payload: UnsafeRawBufferPointer) {
    let record = buffer.extend(RecordHeader.recordBytes(payload.count))
    let body = UnsafeMutableRawBufferPointer(rebasing: record[RecordHeader.byteCount...])
    if !body.isEmpty {
      // The last word holds the padding.
      body.store(UInt64(0), at: body.count - 8)
      body.copyMemory(from: payload)
    }
    RecordHeader.encode(
      kind: kind, length: payload.count, sequence: lastSequence, syncedThrough: UInt32(synced), seed: seed,
      into: record)
    end += record.count
  }
}
