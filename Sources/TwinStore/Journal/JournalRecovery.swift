// Reads a journal from its first record to its last, at a start.
//
// Promises: every record that was made durable reaches the caller, in order, or the start is refused with the file,
// the offset and the remedy. Changes nothing on the disk. What it returns is where Journal goes on.

import TwinCore

/// What a segment holds.
package struct SegmentInfo: Equatable, Sendable {
  package var number: UInt64
  package var baseSequence: UInt64
  package var lastSequence: UInt64
  /// Where its records end.
  package var end: Int
  /// Bytes of the file.
  package var fileBytes: Int
}

/// What recovery found.
package struct JournalRecovery: Sendable {
  let folder: JournalFolder
  /// Sequence of the last record; what the database has applied when there is none.
  package internal(set) var lastSequence: UInt64
  /// Records that were handed out.
  package internal(set) var recordCount = 0
  /// Bytes of the un-synced tail that do not count, and the headers of commits in it.
  package internal(set) var bytesCut = 0
  package internal(set) var commitsCut = 0
  /// The last stop was a clean one. Also true when there was no journal at all.
  package internal(set) var isClean = true
  /// Sequences that no commit has, in order.
  package internal(set) var gaps: [ClosedRange<UInt64>] = []
  package internal(set) var segments: [SegmentInfo] = []

  /// The lowest sequence that is above all that can have been issued and kept. After an unclean stop others above it
  /// may have been issued and lost: add a jump.
  package var freeSequence: UInt64 { max(lastSequence + 1, segments.last?.baseSequence ?? 0) }
}

extension Journal {
  /// - Parameters:
  ///   - appliedSequence: the database holds every commit up to it.
  ///   - isExpected: there has been a journal here: none at all is an error.
  ///   - body: called for each record with a payload, in order, those at or below `appliedSequence` too.
  /// - Throws: `damaged`, `missing`, `newerFormat`, `io`, and what `body` throws.
  package static func recover(
    dataDirectory: String, fileSystem: any FileSystem, appliedSequence: UInt64, isExpected: Bool,
    _ body: (borrowing JournalRecord) throws(StoreError) -> Void
  ) throws(StoreError) -> JournalRecovery {
    let folder = JournalFolder(dataDirectory: dataDirectory, fileSystem: fileSystem)
    var recovery = JournalRecovery(folder: folder, lastSequence: appliedSequence)
    let isThere = try folder.walk(
      applied: appliedSequence, body,
      onFault: { (fault) throws(StoreError) in throw folder.damage(fault) },
      onSegment: { (header, scan, info) throws(StoreError) in recovery.add(header, scan, info) })
    if !isThere, isExpected { throw folder.missing(applied: appliedSequence) }
    if let last = recovery.segments.last, let fault = folder.fault(ending: last, applied: appliedSequence) {
      throw folder.damage(fault)
    }
    return recovery
  }
}

extension JournalRecovery {
  fileprivate mutating func add(_ header: SegmentHeader, _ scan: SegmentScan, _ info: SegmentInfo) {
    if header.previousLast + 1 < header.baseSequence {
      gaps.append(header.previousLast + 1...header.baseSequence - 1)
    }
    lastSequence = scan.lastSequence
    recordCount += scan.recordCount
    bytesCut = scan.tailBytes
    commitsCut = scan.tailRecordCount
    isClean = scan.isClean
    segments.append(info)
  }
}
