// Writes JSON (RFC 8259) on one line.

/// An object, member by member, in the order given.
package struct JSONObject {
  private var members = ""

  package init() {}

  package var text: String { "{" + members + "}" }

  package mutating func add(_ name: String, _ text: String) { add(name, json: Self.quoted(text)) }
  package mutating func add(_ name: String, _ number: some BinaryInteger) { add(name, json: "\(number)") }
  package mutating func add(_ name: String, _ truth: Bool) { add(name, json: truth ? "true" : "false") }
  package mutating func add(_ name: String, _ object: JSONObject) { add(name, json: object.text) }

  /// Must be finite. Round-trips exactly, and always has a point or an exponent.
  package mutating func add(_ name: String, _ number: Double) { add(name, json: "\(number)") }

  /// As RFC 3339, or as microseconds since the epoch if the year does not fit.
  package mutating func add(_ name: String, time micros: Int64) {
    add(name, json: TimestampText.utc(micros).map(Self.quoted) ?? "\(micros)")
  }

  /// The members of another object.
  package mutating func add(_ other: JSONObject) {
    if !members.isEmpty && !other.members.isEmpty { members += "," }
    members += other.members
  }

  /// A member whose value is already JSON.
  package mutating func add(_ name: String, json: String) {
    if !members.isEmpty { members += "," }
    members += Self.quoted(name)
    members += ":"
    members += json
  }

  package static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

  package static func quoted(_ text: String) -> String {
    // Most texts have nothing to escape: an export of millions is written from here.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }) { return "\"" + text + "\"" }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case ..<" ", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
