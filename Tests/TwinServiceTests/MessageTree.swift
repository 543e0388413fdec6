// An encoded message as a tree of fields, by its descriptor: to compare replies, and to leave parts out.

import CProtobufC
import TTRPC

typealias MessageDescriptor = UnsafePointer<ProtobufCMessageDescriptor>

struct MessageTree: Equatable, CustomStringConvertible {
  struct Field: Equatable {
    let name: String
    let content: Content
  }

  enum Content: Equatable {
    case number(UInt64)
    case bytes([UInt8])
    case message(MessageTree)
  }

  /// "twind.v1.Twin"
  let type: String
  var fields: [Field] = []

  init(_ bytes: [UInt8], as type: MessageDescriptor) {
    self.type = String(cString: type.pointee.name)
    var rest = bytes[...]
    while !rest.isEmpty {
      let tag = Self.varint(&rest)
      let index = (0..<Int(type.pointee.n_fields)).first { UInt64(type.pointee.fields[$0].id) == tag >> 3 }
      guard let index else { preconditionFailure("\(self.type) has no field \(tag >> 3)") }
      let field = type.pointee.fields[index]
      fields.append(Field(name: String(cString: field.name), content: Self.content(&rest, tag & 7, field)))
    }
  }

  private static func content(
    _ rest: inout ArraySlice<UInt8>, _ wireType: UInt64, _ field: ProtobufCFieldDescriptor
  ) -> Content {
    switch wireType {
    case 0: return .number(varint(&rest))
    case 1: return .bytes(take(8, &rest))
    case 2:
      let bytes = take(Int(varint(&rest)), &rest)
      guard field.type == PROTOBUF_C_TYPE_MESSAGE else { return .bytes(bytes) }
      return .message(
        MessageTree(bytes, as: field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)))
    default: preconditionFailure("wire type \(wireType)")
    }
  }

  private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64 {
    var (number, shift): (UInt64, UInt64) = (0, 0)
    while let byte = rest.popFirst() {
      number |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    return number
  }

  func text(_ name: String) -> String? {
    for field in fields where field.name == name {
      if case .bytes(let bytes) = field.content { return String(decoding: bytes, as: UTF8.self) }
    }
    return nil
  }

  /// The same without the fields for which `drops` holds, at every depth.
  func without(_ drops: (Field) -> Bool) -> MessageTree {
    var copy = self
    copy.fields = fields.compactMap { field in
      if drops(field) { return nil }
      guard case .message(let message) = field.content else { return field }
      return Field(name: field.name, content: .message(message.without(drops)))
    }
    return copy
  }

  func forEach(_ body: (Field) -> Void) {
    for field in fields {
      body(field)
      if case .message(let message) = field.content { message.forEach(body) }
    }
  }

  var description: String {
    "{" + fields.map { "\($0.name): \(Self.text($0.content))" }.joined(separator: ", ") + "}"
  }

  private static func text(_ content: Content) -> String {
    switch content {
    case .number(let number): "\(number)"
    case .bytes(let bytes): "\"\(String(decoding: bytes, as: UTF8.self))\""
    case .message(let message): message.description
    }
  }
}
