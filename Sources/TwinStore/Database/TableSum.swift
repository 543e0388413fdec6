// How many rows a table has, and the XOR of their checksums.

package struct TableSum: Equatable, Sendable {
  package var rowCount: Int64 = 0
  package var digest: UInt32 = 0

  mutating func add(_ checksum: UInt32) {
    rowCount += 1
    digest ^= checksum
  }

  mutating func remove(_ checksum: UInt32) {
    rowCount -= 1
    digest ^= checksum
  }

  mutating func replace(_ old: UInt32, with new: UInt32) { digest ^= old ^ new }
}
