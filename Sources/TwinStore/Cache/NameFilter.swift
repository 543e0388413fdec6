// Whether a name was ever seen: "surely not" is answered without reading the disk.
//
// Bloom filters (Bloom, 1970), one behind the other, each with room for twice as many names as the one before, one byte
// a name: at most two bytes a twin. Each takes one stranger in forty for an acquaintance; a start makes one filter for
// all names that it finds. Names are never removed. Not synchronised: the shard's lock guards it.

struct NameFilter {
  private static let hashCount = 5
  private static let firstBytes = 1_024

  private struct Layer {
    /// A power of two.
    private(set) var bits: [UInt64]
    /// Names that it may still take.
    private(set) var room: Int

    init(bytes: Int) {
      bits = [UInt64](repeating: 0, count: bytes / 8)
      room = bytes
    }

    /// Where the bit of one of the hashes is. Two halves make all hashes (Kirsch and Mitzenmacher, 2006).
    @inline(__always)
    private func place(_ hash: UInt64, _ number: Int) -> (word: Int, bit: UInt64) {
      let place = (hash &+ UInt64(number) &* (hash >> 32 | 1)) & UInt64(bits.count * 64 - 1)
      return (Int(place >> 6), 1 << (place & 63))
    }

    func mayContain(_ hash: UInt64) -> Bool {
      for number in 0..<NameFilter.hashCount {
        let (word, bit) = place(hash, number)
        if bits[word] & bit == 0 { return false }
      }
      return true
    }

    mutating func insert(_ hash: UInt64) {
      for number in 0..<NameFilter.hashCount {
        let (word, bit) = place(hash, number)
        bits[word] |= bit
      }
      room -= 1
    }
  }

  private var layers: [Layer] = []

  init() {}

  /// With room for that many names at once.
  init(room: Int) {
    var bytes = NameFilter.firstBytes
    while bytes < room { bytes *= 2 }
    layers = [Layer(bytes: bytes)]
  }

  var byteCount: Int { layers.reduce(0) { $0 + $1.bits.count * 8 } }

  func mayContain(_ hash: UInt64) -> Bool {
    for index in layers.indices where layers[index].mayContain(hash) { return true }
    return false
  }

  mutating func insert(_ hash: UInt64) {
    if mayContain(hash) { return }
    if layers.last?.room ?? 0 == 0 {
      layers.append(Layer(bytes: layers.last.map { $0.bits.count * 16 } ?? NameFilter.firstBytes))
    }
    layers[layers.count - 1].insert(hash)
  }
}
