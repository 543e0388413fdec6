// The 24 bytes before a record's payload.
//
// All numbers are little-endian; a record begins at a multiple of 8.
//
//      0     4               8          16               20            24
//     +-----+---------------+----------+----------------+-------------+------------------------+
//     | crc | kind | length | sequence | synced through | payload crc | payload, zeros up to 8 |
//     | u32 | u8   | u24    | u64      | u32            | u32         |                        |
//     +-----+---------------+----------+----------------+-------------+------------------------+
//
// `synced through` is a place in this segment: the bytes before it were known durable when the record was written.
// A place, not a sequence, because records may share a sequence. Both checksums begin with the segment's seed; `crc`
// covers the other 20 bytes, so that a header can be believed without its payload: a search for one in a torn tail
// costs the same at every byte, whatever a client put into its values. Zeros are never a record (there is no kind 0).

import CLinux

enum RecordKind: UInt32 {
  /// Carries the caller's bytes.
  case payload = 1
  /// Carries nothing: says how far the journal is durable when no record followed to say it.
  case mark = 2
  /// A mark that ends a journal which was stopped cleanly.
  case clean = 3
}

struct RecordHeader: Equatable {
  static let byteCount = 24
  static let lengthMax = 1 << 24 - 1

  var kind: RecordKind
  var length: Int
  var sequence: UInt64
  var syncedThrough: UInt32
  var payloadChecksum: UInt32

  /// Bytes that a record with this payload takes.
  static func recordBytes(_ payloadCount: Int) -> Int { byteCount + (payloadCount + 7) & ~7 }

  /// The payload must stand behind the header, padded with zeros.
  static func encode(
    kind: RecordKind, length: Int, sequence: UInt64, syncedThrough: UInt32, seed: UInt32,
    into record: UnsafeMutableRawBufferPointer
  ) {
    precondition(length <= lengthMax && record.count == recordBytes(length))
    let start = record.baseAddress!
    record.store(kind.rawValue | UInt32(length) << 8, at: 4)
    record.store(sequence, at: 8)
    record.store(syncedThrough, at: 16)
    record.store(twind_crc32c(seed, start + byteCount, record.count - byteCount), at: 20)
    record.store(twind_crc32c(seed, start + 4, byteCount - 4), at: 0)
  }

  /// Nil when these are not the bytes of a header.
  init?(_ bytes: UnsafeRawBufferPointer, seed: UInt32) {
    let word = bytes.number(at: 4, UInt32.self)
    guard let kind = RecordKind(rawValue: word & 0xff) else { return nil }
    if bytes.number(at: 0, UInt32.self) != twind_crc32c(seed, bytes.baseAddress! + 4, Self.byteCount - 4) { return nil }
    self.kind = kind
    length = Int(word >> 8)
    sequence = bytes.number(at: 8)
    syncedThrough = bytes.number(at: 16)
    payloadChecksum = bytes.number(at: 20)
  }

  var recordBytes: Int { Self.recordBytes(length) }
}
