// Writes protobuf fields with numbers below 16 into memory whose size was computed before.
//
// Promises: as protobuf-c packs proto3: a field with its default value is left out. Never writes past its buffer.

struct FieldWriter {
  private var rest: UnsafeMutableRawBufferPointer

  init(_ buffer: UnsafeMutableRawBufferPointer) { rest = buffer }

  var isFull: Bool { rest.isEmpty }

  // MARK: Sizes

  static func size(varint value: UInt64) -> Int { value == 0 ? 0 : 1 + varintSize(value) }
  static func size(bytes count: Int) -> Int { count == 0 ? 0 : framed(count) }
  /// A length-delimited field that is there even when it is empty.
  static func framed(_ count: Int) -> Int { 1 + varintSize(UInt64(count)) + count }

  // MARK: Fields

  mutating func field(_ number: UInt8, varint value: UInt64) {
    if value == 0 { return }
    byte(number << 3)
    varint(value)
  }

  mutating func field(_ number: UInt8, fixed64 value: UInt64) {
    if value == 0 { return }
    byte(number << 3 | 1)
    withUnsafeBytes(of: value.littleEndian) { copy($0) }
  }

  mutating func field(_ number: UInt8, _ bytes: UnsafeRawBufferPointer) {
    if bytes.isEmpty { return }
    header(number, count: bytes.count)
    copy(bytes)
  }

  /// Tag and length; `count` bytes are to follow.
  mutating func header(_ number: UInt8, count: Int) {
    assert(number < 16, "the tag has one byte")
    byte(number << 3 | 2)
    varint(UInt64(count))
  }

  /// A field whose `count` bytes `body` writes; left out when there are none.
  mutating func field(_ number: UInt8, count: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    guard count > 0 else { return }
    header(number, count: count)
    precondition(count <= rest.count, "the buffer is full")
    if let start = rest.baseAddress { body(start) }
    rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
  }

  mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      byte(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    byte(UInt8(truncatingIfNeeded: value))
  }

  mutating func copy(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= rest.count, "the buffer is full")
    rest.copyMemory(from: bytes)
    rest = UnsafeMutableRawBufferPointer(rebasing: rest[bytes.count...])
  }

  private mutating func byte(_ value: UInt8) {
    rest[0] = value
    rest = UnsafeMutableRawBufferPointer(rebasing: rest[1...])
  }
}
