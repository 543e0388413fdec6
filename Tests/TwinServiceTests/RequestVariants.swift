// Requests of any type, made from its descriptor and a vocabulary of field values.
//
// A field that the vocabulary does not know fails the test, so that new fields, and new methods, are covered on the day
// they exist.

import CProtobufC
import TTRPC

struct UnknownField: Error, CustomStringConvertible {
  let description: String
}

struct RequestVariants {
  enum Value {
    /// The field is left out.
    case none
    case number(UInt64)
    case text(String)
    /// A list of strings.
    case texts([String])
    /// A message of the field's type, with the first value of each of its fields, but for those given.
    case message([String: Value])
  }

  /// Values by field name, or by "Type.field" where the name alone does not tell. The first is used while other fields
  /// are varied.
  let vocabulary: [String: [Value]]

  /// One request for each value of each field.
  func requests(_ type: MessageDescriptor) throws -> [[UInt8]] {
    var requests = [try encoded(type)]
    for field in fields(type) {
      for value in try values(of: field, in: type).dropFirst() {
        requests.append(try encoded(type, [String(cString: field.name): value]))
      }
    }
    return requests
  }

  private func fields(_ type: MessageDescriptor) -> [ProtobufCFieldDescriptor] {
    (0..<Int(type.pointee.n_fields)).map { type.pointee.fields[$0] }
  }

  private func values(of field: ProtobufCFieldDescriptor, in type: MessageDescriptor) throws -> [Value] {
    let (typeName, name) = (String(cString: type.pointee.short_name), String(cString: field.name))
    if let values = vocabulary["\(typeName).\(name)"] ?? vocabulary[name] { return values }
    throw UnknownField(description: "give RequestVariants values for \(typeName).\(name)")
  }

  private func encoded(_ type: MessageDescriptor, _ given: [String: Value] = [:]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for field in fields(type) {
      let value = try given[String(cString: field.name)] ?? values(of: field, in: type)[0]
      switch value {
      case .none: continue
      case .number(let number): bytes += varint(UInt64(field.id) << 3) + varint(number)
      case .text(let text): append(field.id, Array(text.utf8), to: &bytes)
      case .texts(let texts): for text in texts { append(field.id, Array(text.utf8), to: &bytes) }
      case .message(let given):
        let type = field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
        append(field.id, try encoded(type, given), to: &bytes)
      }
    }
    return bytes
  }

  private func append(_ number: UInt32, _ content: [UInt8], to bytes: inout [UInt8]) {
    bytes += varint(UInt64(number) << 3 | 2) + varint(UInt64(content.count)) + content
  }

  private func varint(_ number: UInt64) -> [UInt8] {
    var (bytes, rest): ([UInt8], UInt64) = ([], number)
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
