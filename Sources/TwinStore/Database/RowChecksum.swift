// The checksum of one row: CRC-32C over all that stands in it, its table and its number included.
//
// SQLite's integrity check sees neither a flipped byte of a blob nor rows that were lost with a page of the write-ahead
// log. The first shows in the row's checksum, the second in the XOR of all of them, which the checkpoint row holds.

import CLinux

struct RowChecksum {
  /// So that a row of one table is none of another.
  enum Table: UInt32 {
    case twins = 0x7477_696e
    case facts = 0x6661_6374
    case idempotency = 0x6b65_7973
    case checkpoint = 0x6368_6563
  }

  private(set) var value: UInt32

  init(_ table: Table) { value = table.rawValue }

  mutating func add(_ number: Int64) {
    withUnsafeBytes(of: number.littleEndian) { value = twind_crc32c(value, $0.baseAddress, $0.count) }
  }

  /// One after the other.
  mutating func add(_ numbers: (Int64, Int64, Int64, Int64, Int64, Int64, Int64)) {
    let (a, b, c, d, e, f, g) = numbers
    let little = (
      a.littleEndian, b.littleEndian, c.littleEndian, d.littleEndian, e.littleEndian, f.littleEndian, g.littleEndian
    )
    withUnsafeBytes(of: little) { value = twind_crc32c(value, $0.baseAddress, $0.count) }
  }

  /// The length counts too: bytes do not move from one column to the next unseen.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    add(Int64(bytes.count))
    if let start = bytes.baseAddress { value = twind_crc32c(value, start, bytes.count) }
  }
}
