// Walks one segment from record to record, and judges the place where it stops.
//
// Promises: a record is handed out only when both its checksums match and its sequence may follow the one before.
// The judgement at a bad record is DESIGN's: damage when anything behind it says that the place was durable, else the
// tail of a write that no one was promised.

import CLinux
import TwinCore

/// A record, valid during the call that is given it.
package struct JournalRecord: ~Copyable {
  package let sequence: UInt64
  package let payload: UnsafeRawBufferPointer
  /// Where it stands: number of the segment and byte in it.
  package let segment: UInt64
  package let offset: Int
}

struct SegmentScan {
  /// Records with a payload.
  var recordCount = 0
  /// Sequence of the last good record; the previous segment's when there is none.
  var lastSequence: UInt64
  /// Where the good records end.
  var end = SegmentHeader.byteCount
  /// The last record is the mark of a clean stop.
  var isClean = false
  /// All before this place is known to have been durable.
  var syncedThrough = 0
  /// Headers of commits behind `end`.
  var tailRecordCount = 0
  /// Bytes after `end` that are not zero, up to the last of them.
  var tailBytes = 0
  /// The highest sequence that a header behind `end` names.
  var tailSequence: UInt64 = 0
  /// Why the segment is damaged at `end`.
  var fault: String?
}

extension SegmentReader {
  /// `end`: where the next segment says that this one ends; nil for the newest.
  func scan(
    through end: Int?, _ body: (borrowing JournalRecord) throws(StoreError) -> Void
  ) throws(StoreError) -> SegmentScan {
    defer { close() }
    var scan = SegmentScan(lastSequence: header.previousLast)
    if let headerFault {
      scan.end = 0
      scan.fault = headerFault
      return scan
    }
    let limit = end ?? Int(header.size)
    while scan.fault == nil, scan.end < limit, let record = try record(at: scan.end, limit: limit) {
      try take(record.header, record.payload, &scan, body)
    }
    if scan.fault == nil, scan.end != limit {
      try judgeTail(&scan)
      if end != nil { scan.fault = reason(limit) }
    }
    if scan.fault == nil, end == nil, size != header.size {
      scan.fault = "the file has \(size) bytes of \(header.size): it was cut short, or the segment after it is missing"
    }
    return scan
  }

  private func take(
    _ header: RecordHeader, _ payload: UnsafeRawBufferPointer, _ scan: inout SegmentScan,
    _ body: (borrowing JournalRecord) throws(StoreError) -> Void
  ) throws(StoreError) {
    let sequence = header.sequence
    let isRepeat = sequence == scan.lastSequence
    if !isRepeat, sequence < max(scan.lastSequence, self.header.baseSequence) || sequence > Limits.sequenceMax {
      scan.fault = "sequence \(sequence) cannot follow \(scan.lastSequence)"
      return
    }
    if header.kind == .payload {
      try body(JournalRecord(sequence: sequence, payload: payload, segment: number, offset: scan.end))
      scan.recordCount += 1
    }
    scan.lastSequence = sequence
    scan.isClean = header.kind == .clean
    scan.syncedThrough = max(scan.syncedThrough, Int(header.syncedThrough))
    scan.end += header.recordBytes
  }

  private func reason(_ limit: Int) -> String {
    size < limit ? "the file has \(size) bytes of \(limit): it was cut short" : "a record's checksum does not match"
  }

  /// Nil when no whole record stands there.
  private func record(
    at offset: Int, limit: Int
  ) throws(StoreError) -> (header: RecordHeader, payload: UnsafeRawBufferPointer)? {
    guard limit - offset >= RecordHeader.byteCount, let start = try bytes(at: offset, RecordHeader.byteCount),
      let header = RecordHeader(start, seed: seed), limit - offset >= header.recordBytes,
      let record = try bytes(at: offset, header.recordBytes)
    else { return nil }
    let padded = record.part(RecordHeader.byteCount, record.count - RecordHeader.byteCount)
    if twind_crc32c(seed, padded.baseAddress, padded.count) != header.payloadChecksum { return nil }
    return (header, padded.part(0, header.length))
  }

  /// Looks at every place where a record could begin: what was written together reaches the disk in any order.
  private func judgeTail(_ scan: inout SegmentScan) throws(StoreError) {
    var offset = scan.end
    let pieceBytes = 64 << 10
    while offset < min(size, Int(header.size), dataEnd) {
      let count = min(pieceBytes, size - offset)
      // A header may reach over the piece's end.
      guard let piece = try bytes(at: offset, min(count + RecordHeader.byteCount - 8, size - offset)) else { break }
      for place in stride(from: 0, to: count, by: 8) {
        let rest = piece.count - place
        if rest >= 8, piece.loadUnaligned(fromByteOffset: place, as: UInt64.self) == 0 { continue }
        scan.tailBytes = offset + place + min(8, rest) - scan.end
        guard rest >= RecordHeader.byteCount,
          let header = RecordHeader(piece.part(place, RecordHeader.byteCount), seed: seed)
        else { continue }
        if header.kind == .payload { scan.tailRecordCount += 1 }
        scan.tailSequence = max(scan.tailSequence, min(header.sequence, Limits.sequenceMax))
        if header.syncedThrough > scan.end {
          scan.fault = "a record's checksum does not match, and a later one says that it was durable"
        }
      }
      offset += count
    }
  }
}
