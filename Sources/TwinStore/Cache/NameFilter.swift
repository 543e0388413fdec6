// Whether a name was ever seen: "surely not" is answered without reading the disk.
//
// Bloom filters, one behind the other, each with room for twice as many names as the one before, one byte a name: at most
// two bytes a twin. Each has a false-positive rate of 1 in 40. A start makes one filter for all names that it finds. Names
// are never removed. Not synchronised: the shard's lock guards it.

struct NameFilter {
  private static let firstBytes = 1_024

  private struct Layer {
    private(set) var filter: BloomFilter
    /// Names that it may still take.
    private(set) var room: Int

    init(bytes: Int) {
      filter = BloomFilter(bytes: bytes)
      room = bytes
    }

    mutating func insert(_ hash: UInt64) {
      filter.insert(hash)
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

  var byteCount: Int { layers.reduce(0) { $0 + $1.filter.byteCount } }

  func mayContain(_ hash: UInt64) -> Bool {
    for index in layers.indices where layers[index].filter.mayContain(hash) { return true }
    return false
  }

  mutating func insert(_ hash: UInt64) {
    if mayContain(hash) { return }
    if layers.last?.room ?? 0 == 0 {
      layers.append(Layer(bytes: layers.last.map { $0.filter.byteCount * 2 } ?? NameFilter.firstBytes))
    }
    layers[layers.count - 1].insert(hash)
  }
}
