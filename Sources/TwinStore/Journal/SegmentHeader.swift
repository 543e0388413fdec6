// The first 64 bytes of a segment: which one it is, what came before it, and the salt of its records.
//
// All numbers are little-endian. Magic, version and checksum keep their places in every later format.
//
//      0       8     12    16       24       32         40         44     48     56     64
//     +-------+-----+-----+--------+--------+----------+----------+------+------+------+
//     | magic | ver | crc | number | base   | previous | previous | size | salt | zero |
//     |       | u32 | u32 | u64    | u64    | last u64 | end u32  | u32  | u64  | u64  |
//     +-------+-----+-----+--------+--------+----------+----------+------+------+------+
//
// Promises: a segment gets its name only when its header is durable, so a named one with a bad header is damage.
// As each header says where its predecessor ends, both in sequences and in bytes, a segment that lost records, or one
// that is missing, shows.

import CLinux
import TwinCore

package struct SegmentHeader: Equatable, Sendable {
  package static let byteCount = 64
  /// 2: attributes with fields that version 0.1 does not know (AttributeRecord.swift); it reads segments of version 1, and
  /// so does this version.
  package static let version: UInt32 = 2
  /// "twindjnl"
  static let magic: UInt64 = 0x6c6e_6a64_6e69_7774

  /// Counts up by one from segment to segment and names the file. Not the base sequence, which two segments share
  /// when no commit came between them.
  package var number: UInt64
  /// The lowest sequence that a commit in this segment can have; those between `previousLast` and it were never
  /// issued, or were given up.
  package var baseSequence: UInt64
  /// The sequence of the last record in the segment before; where the database began when there is none.
  package var previousLast: UInt64
  /// Bytes of the segment before that count; what follows them there was cut. 0 when there is none.
  package var previousEnd: UInt32
  /// Bytes of the file as long as it is the newest.
  package var size: UInt32
  package var salt: UInt64

  /// What the records' checksums begin with.
  var seed: UInt32 {
    withUnsafeBytes(of: salt.littleEndian) { twind_crc32c(0, $0.baseAddress, $0.count) }
  }

  func encode(into bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count == Self.byteCount)
    bytes.store(Self.magic, at: 0)
    bytes.store(Self.version, at: 8)
    bytes.store(number, at: 16)
    bytes.store(baseSequence, at: 24)
    bytes.store(previousLast, at: 32)
    bytes.store(previousEnd, at: 40)
    bytes.store(size, at: 44)
    bytes.store(salt, at: 48)
    bytes.store(UInt64(0), at: 56)
    bytes.store(Self.checksum(UnsafeRawBufferPointer(bytes)), at: 12)
  }

  enum Decoded {
    case header(SegmentHeader)
    case newer(version: Int)
    case bad(String)
  }

  /// `bytes` is the first 64 of the file, or all that it has.
  static func decode(_ bytes: UnsafeRawBufferPointer, number: UInt64) -> Decoded {
    if bytes.count < byteCount { return .bad("it has \(bytes.count) bytes, fewer than a header") }
    if bytes.number(at: 0, UInt64.self) != magic { return .bad("it does not begin as a journal segment does") }
    if bytes.number(at: 12, UInt32.self) != checksum(bytes) { return .bad("the header's checksum does not match") }
    let version = bytes.number(at: 8, UInt32.self)
    if version > Self.version { return .newer(version: Int(version)) }
    let header = SegmentHeader(
      number: bytes.number(at: 16), baseSequence: bytes.number(at: 24), previousLast: bytes.number(at: 32),
      previousEnd: bytes.number(at: 40), size: bytes.number(at: 44), salt: bytes.number(at: 48))
    if header.number != number { return .bad("it is segment \(header.number) under another's name") }
    if header.baseSequence <= header.previousLast || header.baseSequence > Limits.sequenceMax {
      return .bad("its sequences cannot begin at \(header.baseSequence) after \(header.previousLast)")
    }
    return .header(header)
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let start = twind_crc32c(0, bytes.baseAddress, 12)
    return twind_crc32c(start, bytes.baseAddress! + 16, byteCount - 16)
  }
}

extension UnsafeRawBufferPointer {
  /// A little-endian number at a place that need not be aligned.
  func number<N: FixedWidthInteger & BitwiseCopyable>(at offset: Int, _: N.Type = N.self) -> N {
    N(littleEndian: loadUnaligned(fromByteOffset: offset, as: N.self))
  }
}

extension UnsafeMutableRawBufferPointer {
  func store<N: FixedWidthInteger & BitwiseCopyable>(_ number: N, at offset: Int) {
    storeBytes(of: number.littleEndian, toByteOffset: offset, as: N.self)
  }
}
