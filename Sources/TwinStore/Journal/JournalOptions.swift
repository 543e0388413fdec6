// Sizes of a journal: the daemon's come from Limits, a test's are small.

import TwinCore

package struct JournalOptions: Sendable {
  /// Bytes of a segment file. A multiple of 8.
  package var segmentBytes: Int
  /// Bytes of one record's payload.
  package var recordBytesMax: Int
  /// Bytes of all segments on disk; past it no further one is made.
  package var bytesMax: Int

  package init(
    segmentBytes: Int = Limits.journalSegmentBytes, recordBytesMax: Int = Limits.journalRecordBytesMax,
    bytesMax: Int = Limits.journalBytesMax
  ) {
    precondition(segmentBytes % 8 == 0 && segmentBytes <= UInt32.max, "segments are addressed with 32 bits")
    precondition(recordBytesMax <= RecordHeader.lengthMax, "a length has 24 bits")
    precondition(
      SegmentHeader.byteCount + RecordHeader.recordBytes(recordBytesMax) + Journal.reservedBytes <= segmentBytes,
      "the largest record must fit into a segment")
    self.segmentBytes = segmentBytes
    self.recordBytesMax = recordBytesMax
    self.bytesMax = bytesMax
  }
}
