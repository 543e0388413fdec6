// The grammar of attribute names, so that a wrong column is refused once and not with each row.

package enum AttributeName {
  static let bytesMax = 127
  static let partBytesMax = 63

  /// Throws naming the name and the rule.
  package static func check(_ name: String) throws(TextFault) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard name.utf8.count <= bytesMax, parts.allSatisfy({ isPart($0.utf8) }) else {
      throw TextFault(
        "\(name.excerpt()) is not an attribute's name: write parts of [a-z][a-z0-9_]{0,62} joined by '.'")
    }
  }

  /// A name that a text could have: `First Name`, `firstName` and `FIRST-NAME` are first_name. nil = none.
  package static func suggestion(for text: String) -> String? {
    var name = ""
    var wasLower = false
    for character in text {
      let isLetter = character.isASCII && character.isLetter
      guard isLetter || character.isASCII && character.isNumber else {
        if !name.isEmpty && name.last != "_" { name.append("_") }
        wasLower = false
        continue
      }
      if wasLower && character.isUppercase { name.append("_") }
      name += character.lowercased()
      wasLower = character.isLowercase
    }
    while name.last == "_" { name.removeLast() }
    if name.first?.isNumber == true { name = "column_\(name)" }
    return name.isEmpty ? nil : String(name.prefix(partBytesMax))
  }

  private static func isPart(_ part: Substring.UTF8View) -> Bool {
    guard part.count <= partBytesMax, let first = part.first, isLower(first) else { return false }
    return part.allSatisfy { isLower($0) || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "_") }
  }

  private static func isLower(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
}
