// Writes JSON (RFC 8259) on one line.

/// An object, member by member, in the order given.
package struct JSONObject {
  private var members: [String] = []

  package init() {}

  package var text: String { "{" + members.joined(separator: ",") + "}" }
  package var isEmpty: Bool { members.isEmpty }

  package mutating func add(_ name: String, _ text: String) { add(name, json: Self.quoted(text)) }
  package mutating func add(_ name: String, _ number: some BinaryInteger) { add(name, json: "\(number)") }
  package mutating func add(_ name: String, _ truth: Bool) { add(name, json: truth ? "true" : "false") }
  package mutating func add(_ name: String, _ object: JSONObject) { add(name, json: object.text) }

  /// Must be finite; comes back the same, and always with a point or an exponent.
  package mutating func add(_ name: String, _ number: Double) { add(name, json: "\(number)") }

  /// As RFC 3339; a moment that this cannot write as a number of microseconds since the epoch.
  package mutating func add(_ name: String, time micros: Int64) {
    add(name, json: TimestampText.utc(micros).map(Self.quoted) ?? "\(micros)")
  }

  /// A member whose value is JSON already.
  package mutating func add(_ name: String, json: String) { members.append("\(Self.quoted(name)):\(json)") }

  package static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

  package static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case ..<" ", "\u{7f}"..."\u{9f}":
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
