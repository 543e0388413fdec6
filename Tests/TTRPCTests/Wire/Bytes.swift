// Encoded bytes as tests write them, and seeded randomness to spoil them with.

import TTRPC

/// SplitMix64: the same numbers in every run. Source: https://prng.di.unimi.it/splitmix64.c
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Fields of the protobuf wire format.
enum Field {
  static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

  static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
    varint(field << 3 | 2) + varint(UInt64(value.count)) + value
  }

  static func text(_ field: UInt64, _ value: String) -> [UInt8] { bytes(field, Array(value.utf8)) }
}

extension SeededRandom {
  /// Changes, inserts, removes, doubles or cuts a few bytes.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &self) {
      let position = Int.random(in: 0...bytes.count, using: &self)
      switch Int.random(in: 0..<6, using: &self) {
      case 0 where position < bytes.count: bytes[position] = UInt8(truncatingIfNeeded: next())
      case 1 where position < bytes.count: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 2: bytes.insert(UInt8(truncatingIfNeeded: next()), at: position)
      case 3 where position < bytes.count: bytes.remove(at: position)
      case 4: bytes.removeSubrange(position...)
      default: bytes.insert(contentsOf: bytes[..<position].suffix(12), at: position)
      }
    }
    return bytes
  }
}
