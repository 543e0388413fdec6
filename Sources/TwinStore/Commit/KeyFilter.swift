// Whether the database may have an idempotency key: for a new key "surely not" is answered without reading the disk.
//
// Two generations of Bloom filters: one takes keys for as long as a key is kept, and the one before it stays until all its
// keys have expired. A generation grows as NameFilter does, two bytes a key, up to a bound; past that it takes more keys
// in the same bytes, and more new keys are looked up in the database for nothing. No key is ever forgotten for want of
// memory. Not synchronised: the commit section's lock guards it.

import TwinCore

struct KeyFilter {
  private static let firstBytesMin = 64 << 10
  private static let bytesPerKey = 2

  private struct Layer {
    var filter: BloomFilter
    /// Keys that it may still take before it is full.
    var room: Int

    init(bytes: Int) {
      filter = BloomFilter(bytes: bytes)
      room = bytes / bytesPerKey
    }
  }

  private struct Generation {
    /// Its first key is recorded at this time; microseconds since the epoch.
    let start: Int64
    var layers: [Layer]

    var byteCount: Int { layers.reduce(0) { $0 + $1.filter.byteCount } }

    mutating func insert(_ hash: UInt64, bytesMax: Int) {
      let next = layers[layers.count - 1].filter.byteCount * 2
      if layers[layers.count - 1].room <= 0 && byteCount + next <= bytesMax { layers.append(Layer(bytes: next)) }
      layers[layers.count - 1].filter.insert(hash)
      layers[layers.count - 1].room -= 1
    }
  }

  /// At most two, the newer one last.
  private var generations: [Generation] = []
  private let bytesPerGenerationMax: Int
  /// Keys that the first generation is made for.
  private let room: Int

  /// - Parameters:
  ///   - bytesMax: of both generations.
  ///   - room: so many keys will come first.
  init(bytesMax: Int, room: Int) {
    bytesPerGenerationMax = bytesMax / 2
    self.room = room
  }

  var byteCount: Int { generations.reduce(0) { $0 + $1.byteCount } }

  func mayContain(_ hash: UInt64) -> Bool {
    for generation in generations.reversed() {
      for layer in generation.layers where layer.filter.mayContain(hash) { return true }
    }
    return false
  }

  /// Keys come in the order of their recording.
  mutating func insert(_ hash: UInt64, recordedAt: Int64) {
    let isDue = generations.last.map { recordedAt.subtractingClamped($0.start) >= Limits.idempotencyAgeMicrosMax }
    if isDue ?? true {
      // What goes was recorded before the other one began.
      if generations.count == 2 { generations.removeFirst() }
      let bytes = firstBytes(keys: generations.isEmpty ? room : 0)
      generations.append(Generation(start: recordedAt, layers: [Layer(bytes: bytes)]))
    }
    generations[generations.count - 1].insert(hash, bytesMax: bytesPerGenerationMax)
  }

  /// With room for that many keys, or as many as fit.
  private func firstBytes(keys: Int) -> Int {
    var bytes = 1_024
    while bytes * 2 <= bytesPerGenerationMax && (bytes < Self.firstBytesMin || bytes / Self.bytesPerKey < keys) {
      bytes *= 2
    }
    return bytes
  }
}
