// A look into one encoded `twind.v1.Attribute` without unpacking it.
//
// Promises: reading a record that a crash or a stranger wrote never traps; what is accepted here protobuf-c
// can unpack. Decide compares against it, and the store checks with it what it reads from disk.

package struct AttributeRecord {
  package private(set) var name = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The encoded `Value`.
  package private(set) var value = UnsafeRawBufferPointer(start: nil, count: 0)
  package private(set) var validFrom: Int64 = 0
  package private(set) var validTo: Int64 = 0
  package private(set) var recordedAt: Int64 = 0
  package private(set) var agent = UnsafeRawBufferPointer(start: nil, count: 0)
  package private(set) var confidence: Double = 0
  package private(set) var evidence = UnsafeRawBufferPointer(start: nil, count: 0)
  package private(set) var sequence: UInt64 = 0
  package private(set) var purpose = UnsafeRawBufferPointer(start: nil, count: 0)

  /// The bytes are not what protobuf-c writes.
  package struct Malformed: Error {}

  /// `message` is the encoded Attribute without tag and length, its fields in ascending order and none twice, as
  /// protobuf-c writes them.
  ///
  /// Throws, and is not failable: optimized by Swift 6.3.1, the optional result of a failable initializer lost all fields
  /// behind `agent`.
  package init(_ message: UnsafeRawBufferPointer) throws(Malformed) {
    var reader = WireReader(message)
    var before: UInt64 = 0
    while !reader.isAtEnd {
      guard let field = reader.field(), field.number > before, take(field) else { throw Malformed() }
      before = field.number
    }
  }

  private mutating func take(_ field: WireReader.Field) -> Bool {
    switch (field.number, field.content) {
    case (1, .bytes(let bytes)): name = bytes
    case (2, .bytes(let bytes)): value = bytes
    case (3, .varint(let number)): validFrom = Int64(bitPattern: number)
    case (4, .varint(let number)): validTo = Int64(bitPattern: number)
    case (5, .varint(let number)): recordedAt = Int64(bitPattern: number)
    case (6, .bytes(let bytes)): agent = bytes
    case (7, .fixed64(let bits)): confidence = Double(bitPattern: bits)
    case (8, .bytes(let bytes)): evidence = bytes
    case (9, .varint(let number)): sequence = number
    case (10, .bytes(let bytes)): purpose = bytes
    default: return false
    }
    return true
  }
}

/// The one field of an encoded `Value`, looked into.
enum EncodedKind {
  case int(Int64)
  case double(Double)
  case other(String)

  init?(_ value: UnsafeRawBufferPointer) {
    var reader = WireReader(value)
    guard let field = reader.field(), reader.isAtEnd else { return nil }
    switch (field.number, field.content) {
    case (1, .bytes(let text)) where isUTF8(text): self = .other("string_value")
    case (2, .varint(let number)): self = .int(Int64(bitPattern: number))
    case (3, .fixed64(let bits)): self = .double(Double(bitPattern: bits))
    case (4, .varint): self = .other("bool_value")
    case (5, .bytes): self = .other("bytes_value")
    case (6, .varint): self = .other("timestamp_value")
    case (7, .bytes(let list)) where EncodedKind.isScalarList(list): self = .other("list_value")
    case (8, .bytes(let text)) where isUTF8(text): self = .other("json_value")
    default: return nil
    }
  }

  var name: String {
    switch self {
    case .int: "int_value"
    case .double: "double_value"
    case .other(let name): name
    }
  }

  private static func isScalarList(_ list: UnsafeRawBufferPointer) -> Bool {
    var reader = WireReader(list)
    while !reader.isAtEnd {
      guard let field = reader.field(), field.number == 1, case .bytes(let scalar) = field.content else {
        return false
      }
      var inside = WireReader(scalar)
      guard let kind = inside.field(), inside.isAtEnd, kind.number <= 6, EncodedKind(scalar) != nil else {
        return false
      }
    }
    return true
  }
}
