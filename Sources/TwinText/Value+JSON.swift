// Values in JSON. Conversion is exact in both directions.
//
//   kind       value
//   string     a string
//   int        a number without point and exponent, all 64 bits
//   double     a number, written with a point or an exponent
//   bool       true or false
//   bytes      a string, base64
//   unknown    a string, base64 of the encoded value
//   timestamp  a string, RFC 3339; outside its years a number, microseconds since the epoch
//   list       an array of these, with {"bytes":…}, {"timestamp":…} and {"unknown":…} for kinds that JSON does not have
//   json       the JSON itself

import FoundationEssentials
import TwinClient

extension Value {
  /// On one line; nil for a json value with line breaks or outer white space, which must be written as a string.
  package var json: String? {
    switch self {
    case .scalar(let scalar): return scalar.json
    case .list(let scalars): return JSONObject.array(scalars.map(\.jsonElement))
    case .json(let text):
      let isOneLine = !text.utf8.contains { $0 == 0x0a || $0 == 0x0d }
      let space: [UInt8?] = [0x20, 0x09]
      return isOneLine && !space.contains(text.utf8.first) && !space.contains(text.utf8.last) ? text : nil
    }
  }

  /// For people and rows of text: a json value is unchanged.
  package var jsonText: String {
    if case .json(let text) = self { return text }
    return json ?? ""
  }
}

extension Scalar {
  var json: String {
    switch self {
    case .string(let text): JSONObject.quoted(text)
    case .int(let number): "\(number)"
    case .double(let number): "\(number)"
    case .bool(let truth): truth ? "true" : "false"
    case .bytes(let bytes), .unknown(let bytes): JSONObject.quoted(Data(bytes).base64EncodedString())
    case .timestamp(let micros): TimestampText.utc(micros).map(JSONObject.quoted) ?? "\(micros)"
    }
  }

  /// As an element of a list, where the kind is not written.
  var jsonElement: String {
    switch self {
    case .bytes, .timestamp, .unknown: "{\"\(kind.rawValue)\":\(json)}"
    default: json
    }
  }
}

extension JSONReader {
  /// Reads a value of a known kind.
  package mutating func value(_ kind: ValueKind) throws -> Value {
    switch kind {
    case .json: return .json(try skip().text)
    case .list:
      var scalars: [Scalar] = []
      try array { reader in scalars.append(try reader.element()) }
      return .list(scalars)
    default: return .scalar(try scalar(kind))
    }
  }

  /// Reads a value whose kind follows from the JSON: integers are ints, other numbers doubles, arrays of scalars lists,
  /// other arrays and objects json. nil for null.
  package mutating func plainValue() throws -> Value? {
    switch try kind() {
    case .null:
      try null()
      return nil
    case .object: return .json(try skip().text)
    case .array:
      var array = try skip()
      let text = array.text
      return (try? array.value(.list)) ?? .json(text)
    default: return .scalar(try element())
    }
  }

  private mutating func element() throws -> Scalar {
    switch try kind() {
    case .string: return .string(try Value.storable(string()))
    case .bool: return .bool(try bool())
    case .number:
      let text = try number()
      return try scalar(text, text.utf8.contains { ".eE".utf8.contains($0) } ? .double : .int)
    case .object:
      var found: Scalar?
      try object { (reader, name) in
        let kinds: [ValueKind] = [.bytes, .timestamp, .unknown]
        guard let kind = kinds.first(where: { $0.rawValue == name }), found == nil else {
          throw reader.fault("{\"bytes\":…} or {\"timestamp\":…} is expected")
        }
        found = try reader.scalar(kind)
      }
      guard let found else { throw fault("{\"bytes\":…} or {\"timestamp\":…} is expected") }
      return found
    case .array, .null: throw fault("lists cannot contain lists or null: use json")
    }
  }

  /// Reads a scalar of a known kind; strings are parsed like on the command line.
  private mutating func scalar(_ kind: ValueKind) throws -> Scalar {
    switch try self.kind() {
    case .string:
      guard case .scalar(let scalar) = try Value(string(), as: kind) else { throw fault("a scalar is expected") }
      return scalar
    case .number: return try scalar(number(), kind)
    case .bool where kind == .bool: return .bool(try bool())
    default: throw fault("a value of kind \(kind.rawValue) is expected")
    }
  }

  private func scalar(_ number: String, _ kind: ValueKind) throws -> Scalar {
    switch kind {
    case .timestamp:
      guard let micros = Int64(number) else { throw TextFault("\(number) is not a 64-bit number of microseconds") }
      return .timestamp(micros)
    case .string: return .string(number)
    case .int, .double, .bool:
      guard case .scalar(let scalar) = try Value(number, as: kind) else { throw fault("a scalar is expected") }
      return scalar
    default: throw fault("a value of kind \(kind.rawValue) is expected")
    }
  }
}
