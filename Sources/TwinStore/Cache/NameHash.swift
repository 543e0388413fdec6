// Hashes of names.

/// Spreads names over shards and over the bits of filters: in no way secret, the same in every run.
func spread(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash = UInt64(truncatingIfNeeded: bytes.count) &* 0x9e37_79b9_7f4a_7c15
  forEachWord(of: bytes) { word in
    hash = (hash ^ word) &* 0xff51_afd7_ed55_8ccd
    hash ^= hash >> 32
  }
  return hash ^ hash >> 29
}

/// For the filter: other bits than those that chose the shard.
func filterHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  let hash = spread(bytes) &* 0x9e37_79b9_7f4a_7c15
  return hash ^ hash >> 31
}

/// A hash that nobody can foresee who does not know the secret, so that nobody can choose names that meet in one place
/// of a table. Multiplying to 128 bits and folding them costs a sixth of Swift's Hasher; Wang Yi's wyhash mixes so.
struct NameHash {
  private let first: UInt64
  private let second: UInt64

  init() {
    first = .random(in: 0 ... .max)
    // Odd, so that multiplying by it loses nothing.
    second = .random(in: 0 ... .max) | 1
  }

  @inline(__always)
  func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var hash = first ^ UInt64(truncatingIfNeeded: bytes.count)
    forEachWord(of: bytes) { word in hash = Self.fold(hash ^ word, second) }
    hash = Self.fold(hash ^ second, first | 1)
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}

/// The bytes eight at a time; the last eight overlap those before, and fewer than eight are one short word.
@inline(__always)
private func forEachWord(of bytes: UnsafeRawBufferPointer, _ body: (UInt64) -> Void) {
  guard let start = bytes.baseAddress else { return }
  if bytes.count < 8 {
    var word: UInt64 = 0
    for byte in bytes { word = word << 8 | UInt64(byte) }
    return body(word)
  }
  let last = bytes.count - 8
  var offset = 0
  while offset < last {
    body(start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    offset += 8
  }
  body(start.loadUnaligned(fromByteOffset: last, as: UInt64.self))
}
