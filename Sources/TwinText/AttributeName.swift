// The grammar of attribute names, checked here so that an invalid column is reported once and not for each row.

package enum AttributeName {
  static let bytesMax = 127
  static let partBytesMax = 63

  /// Throws an error with the name and the rule.
  package static func check(_ name: String) throws(TextFault) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard name.utf8.count <= bytesMax, parts.allSatisfy({ isPart($0.utf8) }) else {
      throw TextFault(
        "\(name.excerpt()) is not a valid attribute name: write parts of [a-z][a-z0-9_]{0,62} joined by dots")
    }
  }

  /// Suggests a valid name: first_name for `First Name`, `firstName` and `FIRST-NAME`. nil if there is none.
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
