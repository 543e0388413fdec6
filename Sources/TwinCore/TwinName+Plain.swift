// The names that nearly all twins have, recognised in one pass: the grammar of names in ASCII.

/// True only of names that keep the grammar; of those with other letters than ASCII's it says nothing.
func isPlainName(_ name: UnsafeRawBufferPointer) -> Bool {
  guard let start = name.baseAddress else { return false }
  guard let space = plainPart(start, name.count) else { return false }
  let rest = start + space + 1
  let restCount = name.count - space - 1
  guard let kind = plainPart(rest, restCount) else { return false }
  return isPlainID(rest + kind + 1, restCount - kind - 1)
}

/// Bytes of the space or kind at the beginning, which a slash ends; nil when it breaks the grammar.
@inline(__always)
private func plainPart(_ start: UnsafeRawPointer, _ count: Int) -> Int? {
  let most = min(count, Limits.spaceBytesMax + 1)
  guard most > 0, isLower(start.load(as: UInt8.self)) else { return nil }
  var length = 1
  while length < most {
    let byte = start.load(fromByteOffset: length, as: UInt8.self)
    guard isPartByte(byte) else { return byte == UInt8(ascii: "/") ? length : nil }
    length += 1
  }
  return nil
}

/// A lower-case letter, a digit or a hyphen: one bit for each, for bytes below 64 and from there on.
@inline(__always)
private func isPartByte(_ byte: UInt8) -> Bool {
  let set: UInt64 = byte < 64 ? 0x03ff_2000_0000_0000 : 0x07ff_fffe_0000_0000
  return byte < 128 && set &>> UInt64(byte) & 1 != 0
}

@inline(__always)
private func isPlainID(_ start: UnsafeRawPointer, _ count: Int) -> Bool {
  guard count > 0, count <= Limits.idBytesMax else { return false }
  if count < 8 {
    for offset in 0..<count where !isPlainIDByte(start.load(fromByteOffset: offset, as: UInt8.self)) { return false }
    return true
  }
  // Eight bytes at a time; the last eight overlap those before.
  var offset = 0
  while offset < count - 8 {
    guard isPlainIDWord(start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) else { return false }
    offset += 8
  }
  return isPlainIDWord(start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
}

@inline(__always)
private func isPlainIDByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "/") }

/// Whether all eight bytes are ASCII, none a control character, DEL or a slash.
@inline(__always)
private func isPlainIDWord(_ word: UInt64) -> Bool {
  let high: UInt64 = 0x8080_8080_8080_8080
  let ones: UInt64 = 0x0101_0101_0101_0101
  let slashes = word ^ ones &* UInt64(UInt8(ascii: "/"))
  // The lowest byte that is wrong sets its high bit here; those above it may be set by its borrow, which changes nothing.
  let bad = word | (word &- ones &* 0x20) | (word &+ ones) | (slashes &- ones)
  return bad & high == 0
}
