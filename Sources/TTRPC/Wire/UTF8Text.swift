// Checks that a protobuf `string` is valid UTF-8, which protobuf-c does not.

/// Text in the wire's strings.
public enum UTF8Text {
  /// Whether the bytes are UTF-8 without NUL. A NUL would cut the string short for every C reader.
  @inline(__always)
  public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
    if bytes.count < 8 { return isPlain(word(start, bytes.count)) || isValidSlow(bytes, from: 0) }
    // Eight bytes at a time while all are ASCII and none is NUL; the last eight overlap those before.
    let last = bytes.count - 8
    var position = 0
    while position < last {
      if !isPlain(start.loadUnaligned(fromByteOffset: position, as: UInt64.self)) {
        return isValidSlow(bytes, from: position)
      }
      position += 8
    }
    // From the place up to which all is plain: the last eight may begin within a character.
    return isPlain(start.loadUnaligned(fromByteOffset: last, as: UInt64.self)) || isValidSlow(bytes, from: position)
  }

  /// Whether all eight bytes are ASCII and none is NUL.
  @inline(__always)
  private static func isPlain(_ word: UInt64) -> Bool {
    let hasNUL = (word &- 0x0101_0101_0101_0101) & ~word
    return (word | hasNUL) & 0x8080_8080_8080_8080 == 0
  }

  /// One to seven bytes as eight, some of them twice or a space instead.
  @inline(__always)
  private static func word(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
    if count >= 4 {
      let first = UInt64(start.loadUnaligned(as: UInt32.self))
      return first | UInt64(start.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)) << 32
    }
    let first = UInt64(start.load(as: UInt8.self))
    let middle = UInt64(start.load(fromByteOffset: count / 2, as: UInt8.self))
    let last = UInt64(start.load(fromByteOffset: count - 1, as: UInt8.self))
    return first | middle << 8 | last << 16 | 0x2020_2020_2000_0000
  }

  private static func isValidSlow(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
    var position = start
    while position < bytes.count {
      let length = sequenceByteCount(bytes, at: position)
      if length == 0 { return false }
      position += length
    }
    return true
  }

  /// Length of the sequence at a position, by Unicode's table of well-formed sequences; 0 when it is ill-formed.
  /// Source: The Unicode Standard, table 3-7.
  private static func sequenceByteCount(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Int {
    let first = bytes[position]
    if first < 0x80 { return first == 0 ? 0 : 1 }
    let left = bytes.count - position
    func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
      offset < left && range.contains(bytes[position + offset])
    }
    switch first {
    case 0xc2...0xdf: return continues(1) ? 2 : 0
    case 0xe0: return continues(1, 0xa0...0xbf) && continues(2) ? 3 : 0
    case 0xed: return continues(1, 0x80...0x9f) && continues(2) ? 3 : 0
    case 0xe1...0xef: return continues(1) && continues(2) ? 3 : 0
    case 0xf0: return continues(1, 0x90...0xbf) && continues(2) && continues(3) ? 4 : 0
    case 0xf1...0xf3: return continues(1) && continues(2) && continues(3) ? 4 : 0
    case 0xf4: return continues(1, 0x80...0x8f) && continues(2) && continues(3) ? 4 : 0
    default: return 0
    }
  }
}
