// Formats values for people: on one line, without control characters, long ones shortened.

import TwinClient

extension Value {
  /// - Parameter width: the most characters of a text.
  package func display(width: Int = 120) -> String {
    switch self {
    case .scalar(.string(let text)): DisplayText.line(text, width: width)
    case .scalar(.timestamp(let micros)): TimestampText.local(micros)
    case .scalar(.bytes(let bytes)):
      DisplayText.line(
        "(\(FixedText.bytes(UInt64(bytes.count)))) \(Scalar.bytes(bytes).json.dropFirst().dropLast())",
        width: min(width, 60))
    case .scalar(.unknown(let bytes)): "(unknown kind, \(FixedText.bytes(UInt64(bytes.count))))"
    default: DisplayText.line(jsonText, width: width)
    }
  }

  /// For use within a line: quoted if it could be misread.
  package func compact(width: Int = 40) -> String {
    let text = display(width: width)
    guard case .scalar(.string) = self, text.isEmpty || text.contains(" ") || text.contains("\"") else { return text }
    return "\"\(text)\""
  }
}

/// Makes text safe to print on a terminal.
package enum DisplayText {
  /// Escapes control characters, and cuts text that is longer than the width.
  package static func line(_ text: String, width: Int = .max) -> String {
    var line = ""
    var used = 0
    for character in text {
      let shown = escaped(character)
      let columns = columnCount(shown)
      if used + columns > width { return line + "…" }
      line += shown
      used += columns
    }
    return line
  }

  /// The width of a text on a terminal.
  package static func columnCount(_ text: String) -> Int { text.reduce(0) { $0 + columns($1) } }

  private static func escaped(_ character: Character) -> String {
    var text = ""
    for scalar in character.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control: text += JSONObject.quoted(String(scalar)).dropFirst().dropLast()
      case .format where isBidirectional(scalar): text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// Characters that reverse the order of the following text, which can change the meaning of a line.
  private static func isBidirectional(_ scalar: Unicode.Scalar) -> Bool {
    0x202a...0x202e ~= scalar.value || 0x2066...0x2069 ~= scalar.value
  }

  /// Two for wide characters and emoji of East Asian Width (UAX 11), none for combining marks.
  private static func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
      0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
