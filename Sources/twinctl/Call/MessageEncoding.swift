// Encodes JSON as a message, by the message's descriptor.
// Source: https://protobuf.dev/programming-guides/json/

import Foundation
import TTRPC
import TwinText

/// Encodes a message field by field.
struct MessageEncoding {
  private var bytes: [UInt8] = []

  /// Throws a Failure that names the field and what it expects.
  static func encoded(_ text: String, as type: MessageType) throws -> [UInt8] {
    var reader = JSONReader(Array(text.utf8))
    do {
      let bytes = try message(&reader, type, at: "")
      try reader.finish()
      return bytes
    } catch let fault as JSONFault {
      throw Failure("the request is not valid JSON for \(type.name): \(fault)")
    }
  }

  /// - Parameter path: the position of the message in the request: "updates[2].".
  private static func message(_ reader: inout JSONReader, _ type: MessageType, at path: String) throws -> [UInt8] {
    let fields = type.fields
    var encoding = MessageEncoding()
    var taken: [String: String] = [:]
    try reader.object { reader, name in
      guard let field = fields.first(where: { $0.name == name || camelCase($0.name) == name }) else {
        throw unknown(name, fields.map(\.name), "\(type.name) has no field \(path)\(name)")
      }
      let place = path + field.name
      let slot = field.oneof.map { "oneof \($0)" } ?? field.name
      if let other = taken.updateValue(field.name, forKey: slot) {
        throw Failure(
          other == field.name
            ? "\(place) appears twice" : "\(path)\(other) and \(place) are both given: give only one")
      }
      // null stands for the default, which is not sent.
      if try reader.kind() == .null { return try reader.null() }
      guard field.isRepeated else { return try encoding.add(&reader, field, at: place) }
      guard try reader.kind() == .array else { throw Failure("\(place) must be a list") }
      var index = 0
      try reader.array { reader in
        try encoding.add(&reader, field, at: "\(place)[\(index)]")
        index += 1
      }
    }
    return encoding.bytes
  }

  private mutating func add(_ reader: inout JSONReader, _ field: MessageField, at place: String) throws {
    switch field.kind {
    case .message(let type):
      guard try reader.kind() == .object else { throw Failure("\(place) must be an object, a \(type.name)") }
      add(field, try Self.message(&reader, type, at: place + "."))
    case .string: add(field, Array(try Self.text(&reader, at: place).utf8))
    case .bytes:
      let text = try Self.text(&reader, at: place)
      guard let data = Data(base64Encoded: text) else { throw Failure("\(place) must be base64") }
      add(field, Array(data))
    case .bool:
      guard try reader.kind() == .bool else { throw Failure("\(place) must be true or false") }
      add(field, varint: try reader.bool() ? 1 : 0)
    case .enumeration(let type): add(field, varint: try Self.number(of: type, &reader, at: place))
    case .signed:
      add(field, varint: UInt64(bitPattern: try Self.integer(&reader, field.is32Bits ? .bits32 : .bits64, at: place)))
    case .zigzag:
      let value = try Self.integer(&reader, field.is32Bits ? .bits32 : .bits64, at: place)
      add(field, varint: UInt64(bitPattern: value << 1 ^ value >> 63))
    case .unsigned: add(field, varint: try Self.unsigned(&reader, is32Bits: field.is32Bits, at: place))
    case .fixed(let byteCount, let isSigned):
      let value =
        isSigned
        ? UInt64(bitPattern: try Self.integer(&reader, byteCount == 4 ? .bits32 : .bits64, at: place))
        : try Self.unsigned(&reader, is32Bits: byteCount == 4, at: place)
      add(field, fixed: value, byteCount)
    case .float: add(field, fixed: UInt64(Float(try Self.double(&reader, at: place)).bitPattern), 4)
    case .double: add(field, fixed: try Self.double(&reader, at: place).bitPattern, 8)
    }
  }

  // MARK: Wire

  private mutating func add(_ field: MessageField, _ content: [UInt8]) {
    append(UInt64(field.number) << 3 | 2)
    append(UInt64(content.count))
    bytes += content
  }

  private mutating func add(_ field: MessageField, varint value: UInt64) {
    append(UInt64(field.number) << 3)
    append(value)
  }

  private mutating func add(_ field: MessageField, fixed value: UInt64, _ byteCount: Int) {
    append(UInt64(field.number) << 3 | (byteCount == 4 ? 5 : 1))
    for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
  }

  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  // MARK: Values

  private enum Width { case bits32, bits64 }

  private static func text(_ reader: inout JSONReader, at place: String) throws -> String {
    guard try reader.kind() == .string else { throw Failure("\(place) must be a string") }
    return try reader.string()
  }

  /// A number, or a number in quotes, which other tools write for 64-bit integers.
  private static func digits(_ reader: inout JSONReader, at place: String) throws -> String {
    switch try reader.kind() {
    case .number: return try reader.number()
    case .string: return try reader.string()
    default: throw Failure("\(place) must be a number")
    }
  }

  private static func integer(_ reader: inout JSONReader, _ width: Width, at place: String) throws -> Int64 {
    let text = try digits(&reader, at: place)
    let value = width == .bits32 ? Int32(text).map(Int64.init) : Int64(text)
    guard let value else {
      throw Failure("\(place) must be a \(width == .bits32 ? 32 : 64)-bit integer, not \(text)")
    }
    return value
  }

  private static func unsigned(_ reader: inout JSONReader, is32Bits: Bool, at place: String) throws -> UInt64 {
    let text = try digits(&reader, at: place)
    guard let value = is32Bits ? UInt32(text).map(UInt64.init) : UInt64(text) else {
      throw Failure("\(place) must be a \(is32Bits ? 32 : 64)-bit integer of at least 0, not \(text)")
    }
    return value
  }

  private static func double(_ reader: inout JSONReader, at place: String) throws -> Double {
    let text = try digits(&reader, at: place)
    guard let value = Double(text) else { throw Failure("\(place) must be a number, not \(text)") }
    return value
  }

  private static func number(of type: EnumType, _ reader: inout JSONReader, at place: String) throws -> UInt64 {
    let values = type.values
    guard try reader.kind() == .string else {
      return UInt64(bitPattern: try integer(&reader, .bits32, at: place))
    }
    let name = try reader.string()
    guard let value = values.first(where: { $0.name == name }) else {
      throw unknown(name, values.map(\.name), "\(place) cannot be \(name)")
    }
    return UInt64(bitPattern: Int64(value.number))
  }

  private static func unknown(_ name: String, _ known: [String], _ problem: String) -> Failure {
    if let nearest = NearestName.of(name, in: known) { return Failure("\(problem): did you mean \(nearest)?") }
    return Failure("\(problem): use \(known.isEmpty ? "none: it has no fields" : known.joined(separator: ", "))")
  }

  /// "pageSize" for "page_size", as in protobuf's own JSON.
  private static func camelCase(_ name: String) -> String {
    let parts = name.split(separator: "_")
    return parts.prefix(1).joined() + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}
