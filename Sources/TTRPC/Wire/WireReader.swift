// Reads the protobuf wire format field by field, exactly as strictly as protobuf-c 1.4.
// Source: https://protobuf.dev/programming-guides/encoding/

/// How a field's value is laid out.
@usableFromInline
enum WireType {
  @inlinable static var varint: UInt8 { 0 }
  @inlinable static var fixed64: UInt8 { 1 }
  @inlinable static var lengthDelimited: UInt8 { 2 }
  @inlinable static var fixed32: UInt8 { 5 }
}

/// An encoded field.
package struct WireField {
  package var number: UInt32
  package var type: UInt8
  /// The value's bytes: of a length-delimited field without its length.
  package var value: UnsafeRawBufferPointer
}

/// A position in an encoded message.
package struct WireReader {
  private var position: UnsafeRawPointer
  private let end: UnsafeRawPointer

  package init(_ bytes: UnsafeRawBufferPointer) {
    // An empty buffer may have no address; one past nothing is as good as any.
    position = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
    end = position + bytes.count
  }

  @inline(__always)
  package var isAtEnd: Bool { position == end }

  /// The next field, or nil when the bytes are malformed. Call only before the end.
  @inline(__always)
  package mutating func next() -> WireField? {
    guard let key = tag() else { return nil }
    let value: UnsafeRawBufferPointer?
    switch key.type {
    case WireType.varint: value = varintBytes()
    case WireType.fixed64: value = take(8)
    case WireType.lengthDelimited: value = lengthDelimited()
    case WireType.fixed32: value = take(4)
    default: value = nil
    }
    guard let value else { return nil }
    return WireField(number: key.number, type: key.type, value: value)
  }

  /// A field number and wire type, at most five bytes.
  @inline(__always)
  private mutating func tag() -> (number: UInt32, type: UInt8)? {
    let first = position.load(as: UInt8.self)
    position += 1
    // Field number 0 does not exist; protobuf-c refuses it in its one-byte form alone.
    guard first & 0xf8 != 0 else { return nil }
    var number = UInt32(first & 0x7f) >> 3
    let type = first & 7
    if first & 0x80 == 0 { return (number, type) }
    var shift: UInt32 = 4
    for _ in 0..<4 {
      guard position < end else { return nil }
      let byte = position.load(as: UInt8.self)
      position += 1
      // Bits past the 32nd fall off, as they do in protobuf-c.
      number |= UInt32(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return (number, type) }
      shift += 7
    }
    return nil
  }

  @inline(__always)
  private mutating func varintBytes() -> UnsafeRawBufferPointer? {
    let start = position
    let limit = min(end - position, 10)
    for length in 0..<limit where start.load(fromByteOffset: length, as: UInt8.self) & 0x80 == 0 {
      position += length + 1
      return UnsafeRawBufferPointer(start: start, count: length + 1)
    }
    return nil
  }

  @inline(__always)
  private mutating func lengthDelimited() -> UnsafeRawBufferPointer? {
    // Wider than the five bytes' 35 bits, so that no length wraps to a small one.
    var length: UInt64 = 0
    var shift: UInt64 = 0
    for _ in 0..<5 {
      guard position < end else { return nil }
      let byte = position.load(as: UInt8.self)
      position += 1
      length |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return length > UInt64(Int32.max) ? nil : take(Int(length)) }
      shift += 7
    }
    return nil
  }

  @inline(__always)
  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard end - position >= count else { return nil }
    defer { position += count }
    return UnsafeRawBufferPointer(start: position, count: count)
  }
}

extension WireField {
  /// The number of a varint, truncated to 64 bits.
  @inline(__always)
  var varint: UInt64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    for byte in value {
      result |= UInt64(byte & 0x7f) << shift
      shift += 7
    }
    return result
  }
}
