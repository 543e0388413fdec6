// Writes the few envelope fields for which a message struct would be too much.

/// Sizes and bytes of varints and of length-delimited fields with a number below 16.
public enum WireWriter {
  @inlinable @inline(__always)
  public static func varintByteCount(_ value: UInt64) -> Int {
    (70 - (value | 1).leadingZeroBitCount) / 7
  }

  /// Writes a varint and returns the address after it.
  @inlinable @inline(__always)
  public static func writeVarint(_ value: UInt64, to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    var position = start
    var rest = value
    while rest >= 0x80 {
      position.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
      position += 1
      rest >>= 7
    }
    position.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
    return position + 1
  }

  /// Writes a varint field with a number below 16 and returns the address after it.
  @inlinable @inline(__always)
  public static func writeVarintField(
    _ number: UInt8, _ value: UInt64, to start: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    start.storeBytes(of: number << 3 | WireType.varint, as: UInt8.self)
    return writeVarint(value, to: start + 1)
  }

  /// Bytes of a length-delimited field: tag, length and `count` bytes.
  @inlinable @inline(__always)
  public static func fieldByteCount(_ count: Int) -> Int { 1 + varintByteCount(UInt64(count)) + count }

  /// Writes tag and length of a length-delimited field and returns the address of its value.
  @inlinable @inline(__always)
  public static func writeFieldHeader(
    _ number: UInt8, count: Int, to start: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    start.storeBytes(of: number << 3 | WireType.lengthDelimited, as: UInt8.self)
    return writeVarint(UInt64(count), to: start + 1)
  }

  /// Writes a length-delimited field and returns the address after it.
  @inlinable @inline(__always)
  public static func writeField(
    _ number: UInt8, _ bytes: UnsafeRawBufferPointer, to start: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    let value = writeFieldHeader(number, count: bytes.count, to: start)
    if let source = bytes.baseAddress { value.copyMemory(from: source, byteCount: bytes.count) }
    return value + bytes.count
  }
}
