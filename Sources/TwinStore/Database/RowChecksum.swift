// The checksum of one row: CRC-32C over its table's tag and all that is in it, its number included.

import CLinux

struct RowChecksum {
  private(set) var value: UInt32

  init(_ table: StoreTable.Tag) { value = table.rawValue }

  mutating func add(_ number: Int64) {
    withUnsafeBytes(of: number.littleEndian) { value = twind_crc32c(value, $0.baseAddress, $0.count) }
  }

  /// The length counts too, so that bytes cannot move from one column to the next unnoticed.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    add(Int64(bytes.count))
    if let start = bytes.baseAddress { value = twind_crc32c(value, start, bytes.count) }
  }
}
