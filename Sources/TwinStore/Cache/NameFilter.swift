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
    var bits: [UInt64]
    var room: Int

    init(bytes: Int) {
      bits = [UInt64](repeating: 0, count: bytes / 8)
      room = bytes
    }

    @inline(__always)
    func places(_ hash: UInt64, _ body: (_ word: Int, _ bit: UInt64) -> Bool) -> Bool {
      let mask = UInt64(bits.count * 64 - 1)
      // Two halves make all hashes (Kirsch and Mitzenmacher, 2006).
      let step = hash >> 32 | 1
      var place = hash
      for _ in 0..<NameFilter.hashCount {
        let bit = place & mask
        if !body(Int(bit >> 6), 1 << (bit & 63)) { return false }
        place = place &+ step
      }
      return true
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
    layers.contains { layer in layer.places(hash) { layer.bits[$0] & $1 != 0 } }
  }

  mutating func insert(_ hash: UInt64) {
    if mayContain(hash) { return }
    if layers.last?.room ?? 0 == 0 {
      layers.append(Layer(bytes: layers.last.map { $0.bits.count * 16 } ?? NameFilter.firstBytes))
    }
    var last = layers.removeLast()
    _ = last.places(hash) { word, bit in
      last.bits[word] |= bit
      return true
    }
    last.room -= 1
    layers.append(last)
  }
}
