// A Bloom filter (Bloom, 1970) of fixed size: "surely not inserted", or "perhaps".
//
// With one byte an entry the false-positive rate is 1 in 40, with two bytes 1 in 700; it grows as the filter fills up. There
// are no false negatives. Not synchronised. NameFilter and KeyFilter are made of these.

struct BloomFilter {
  private static let hashCount = 5

  private var bits: [UInt64]

  /// - Parameter bytes: a power of two, at least 8.
  init(bytes: Int) {
    assert(bytes >= 8 && bytes & (bytes - 1) == 0)
    bits = [UInt64](repeating: 0, count: bytes / 8)
  }

  var byteCount: Int { bits.count * 8 }

  /// Where the bit of one of the hashes is. Two halves make all hashes (Kirsch and Mitzenmacher, 2006).
  @inline(__always)
  private func place(_ hash: UInt64, _ number: Int) -> (word: Int, bit: UInt64) {
    let place = (hash &+ UInt64(number) &* (hash >> 32 | 1)) & UInt64(bits.count * 64 - 1)
    return (Int(place >> 6), 1 << (place & 63))
  }

  func mayContain(_ hash: UInt64) -> Bool {
    for number in 0..<BloomFilter.hashCount {
      let (word, bit) = place(hash, number)
      if bits[word] & bit == 0 { return false }
    }
    return true
  }

  mutating func insert(_ hash: UInt64) {
    for number in 0..<BloomFilter.hashCount {
      let (word, bit) = place(hash, number)
      bits[word] |= bit
    }
  }
}
