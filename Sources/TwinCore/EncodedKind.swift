// The one field of an encoded `Value`, looked into.
//
// Promises: nil unless protobuf-c can unpack the bytes as a value with a kind.

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
