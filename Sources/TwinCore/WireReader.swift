// Reads protobuf's wire format: just enough to look into records without unpacking them.
//
// Promises: never reads outside its bytes and never traps, whatever they hold; nil means malformed.

struct WireReader {
  /// One field: its number and what it holds.
  struct Field {
    let number: UInt64
    let content: Content
  }

  enum Content {
    case varint(UInt64)
    case fixed64(UInt64)
    case bytes(UnsafeRawBufferPointer)
    case fixed32
  }

  private let bytes: UnsafeRawBufferPointer
  /// Where the next field begins.
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func field() -> Field? {
    guard let tag = varint(), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
    guard let content = content(ofType: tag & 7) else { return nil }
    return Field(number: tag >> 3, content: content)
  }

  private mutating func content(ofType type: UInt64) -> Content? {
    switch type {
    case 0:
      return varint().map(Content.varint)
    case 1:
      guard bytes.count - position >= 8 else { return nil }
      let value = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      position += 8
      return .fixed64(UInt64(littleEndian: value))
    case 2:
      guard let length = varint(), length <= UInt64(bytes.count - position) else { return nil }
      defer { position += Int(length) }
      return .bytes(bytes.part(position, Int(length)))
    case 5:
      guard bytes.count - position >= 4 else { return nil }
      position += 4
      return .fixed32
    default:
      return nil
    }
  }

  mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.count, shift < 64 {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}

/// Bytes that `value` takes as a varint.
@inline(__always)
func varintSize(_ value: Int) -> Int { varintSize(UInt64(value)) }

@inline(__always)
func varintSize(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

/// Writes `value` as a varint and returns the place behind it.
func writeVarint(_ value: Int, to place: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
  var rest = UInt(value)
  var place = place
  while rest >= 0x80 {
    place.storeBytes(of: UInt8(rest & 0x7f) | 0x80, as: UInt8.self)
    place += 1
    rest >>= 7
  }
  place.storeBytes(of: UInt8(rest), as: UInt8.self)
  return place + 1
}
