// Writes an encoded message as JSON, by the message's descriptor.

import Foundation
import TTRPC
import TwinText

enum MessageText {
  /// A JSON object with the fields that are set, under their names in the proto, ordered by number. Integers are exact,
  /// bytes are base64, enums are names. Unknown fields are omitted. nil if the bytes are not a valid message.
  static func json(_ bytes: [UInt8], _ type: MessageType) -> String? { bytes.withUnsafeBytes { json($0, type) } }

  private static func json(_ bytes: UnsafeRawBufferPointer, _ type: MessageType) -> String? {
    let fields = type.fields
    var values: [UInt32: [String]] = [:]
    var reader = WireReader(bytes)
    while !reader.isAtEnd {
      guard let found = reader.next() else { return nil }
      guard let field = fields.first(where: { $0.number == found.number }) else { continue }
      guard let more = elements(found, field) else { return nil }
      if field.isRepeated { values[field.number, default: []] += more } else { values[field.number] = more }
    }
    var object = JSONObject()
    for field in fields {
      guard let found = values[field.number], let last = found.last else { continue }
      object.add(field.name, json: field.isRepeated ? JSONObject.array(found) : last)
    }
    return object.text
  }

  /// A value, or all values of a packed list.
  private static func elements(_ found: WireField, _ field: MessageField) -> [String]? {
    let wanted = wireType(of: field.kind)
    if found.type == wanted { return element(found.value, field.kind).map { [$0] } }
    guard found.type == 2, field.isRepeated else { return nil }
    var rest = found.value
    var all: [String] = []
    while !rest.isEmpty {
      let count = wanted == 0 ? rest.firstIndex { $0 & 0x80 == 0 }.map { $0 + 1 } : wanted == 5 ? 4 : 8
      guard let count, count <= rest.count else { return nil }
      guard let text = element(UnsafeRawBufferPointer(rebasing: rest[..<count]), field.kind) else { return nil }
      all.append(text)
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return all
  }

  private static func wireType(of kind: MessageField.Kind) -> UInt8 {
    switch kind {
    case .signed, .zigzag, .unsigned, .bool, .enumeration: 0
    case .double, .fixed(8, _): 1
    case .float, .fixed: 5
    case .string, .bytes, .message: 2
    }
  }

  private static func element(_ bytes: UnsafeRawBufferPointer, _ kind: MessageField.Kind) -> String? {
    switch kind {
    case .signed: return "\(Int64(bitPattern: varint(bytes)))"
    case .zigzag:
      let value = varint(bytes)
      return "\(Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1))"
    case .unsigned: return "\(varint(bytes))"
    case .bool: return varint(bytes) == 0 ? "false" : "true"
    case .enumeration(let type):
      let number = Int32(truncatingIfNeeded: varint(bytes))
      // A value of a newer version has no name here.
      return type.values.first { $0.number == number }.map { JSONObject.quoted($0.name) } ?? "\(number)"
    case .fixed(4, let isSigned):
      let value = bytes.loadUnaligned(as: UInt32.self)
      return isSigned ? "\(Int32(bitPattern: value))" : "\(value)"
    case .fixed(_, let isSigned):
      let value = bytes.loadUnaligned(as: UInt64.self)
      return isSigned ? "\(Int64(bitPattern: value))" : "\(value)"
    case .float: return number(Double(bytes.loadUnaligned(as: Float.self)))
    case .double: return number(bytes.loadUnaligned(as: Double.self))
    case .string: return JSONObject.quoted(String(decoding: bytes, as: UTF8.self))
    case .bytes: return JSONObject.quoted(Data(bytes).base64EncodedString())
    case .message(let type): return json(bytes, type)
    }
  }

  /// JSON cannot write these three as numbers.
  private static func number(_ value: Double) -> String {
    if value.isNaN { return "\"NaN\"" }
    if value.isInfinite { return value > 0 ? "\"Infinity\"" : "\"-Infinity\"" }
    return "\(value)"
  }

  private static func varint(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var value: UInt64 = 0
    for (index, byte) in bytes.enumerated() { value |= UInt64(byte & 0x7f) << (7 * UInt64(index)) }
    return value
  }
}
