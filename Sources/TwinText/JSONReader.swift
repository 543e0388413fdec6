// A pull parser for JSON (RFC 8259).
//
// Numbers are returned as written, so that 64-bit integers stay exact. Skipped values are checked, and can be copied
// verbatim. Depth is limited. Used for the rows of an import and for exported twins.

/// An error in JSON text.
package struct JSONFault: Error, CustomStringConvertible {
  package let description: String
}

package struct JSONReader {
  package enum Kind { case object, array, string, number, bool, null }

  /// The deepest nesting: that of a json value in twind, plus the lines of an export around it.
  static let depthMax = 64 + 8

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  private var depth = 0

  package init(_ bytes: [UInt8]) {
    self.init(bytes, 0..<bytes.count)
  }

  private init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// The kind of the next value.
  package mutating func kind() throws(JSONFault) -> Kind {
    skipSpace()
    switch position < end ? bytes[position] : 0 {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: throw fault("a value is expected")
    }
  }

  /// Calls the body at each member's value; it must read or skip it.
  package mutating func object(_ member: (inout JSONReader, String) throws -> Void) throws {
    try open("{", "an object")
    if !take("}") {
      repeat {
        skipSpace()
        let name = try string()
        try expect(":")
        try member(&self, name)
      } while take(",")
      try expect("}")
    }
    depth -= 1
  }

  /// Calls the body at each element; it must read or skip it.
  package mutating func array(_ element: (inout JSONReader) throws -> Void) throws {
    try open("[", "an array")
    if !take("]") {
      repeat { try element(&self) } while take(",")
      try expect("]")
    }
    depth -= 1
  }

  package mutating func string() throws(JSONFault) -> String { try Self.unescaped(scanString(), fault) }

  /// A number, as written.
  package mutating func number() throws(JSONFault) -> String {
    skipSpace()
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let isZero = next == UInt8(ascii: "0")
    let count = digits()
    guard isZero ? count == 1 : count > 0 else { throw fault("a number is expected") }
    if next == UInt8(ascii: ".") {
      position += 1
      if digits() == 0 { throw fault("a digit is expected") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      if digits() == 0 { throw fault("a digit is expected") }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  package mutating func bool() throws(JSONFault) -> Bool {
    if takeWord("true") { return true }
    if takeWord("false") { return false }
    throw fault("true or false is expected")
  }

  package mutating func null() throws(JSONFault) {
    if !takeWord("null") { throw fault("null is expected") }
  }

  /// Skips the next value, and returns a reader of it alone.
  package mutating func skip() throws -> JSONReader {
    skipSpace()
    let start = position
    switch try kind() {
    case .object: try object { (reader, _) in _ = try reader.skip() }
    case .array: try array { reader in _ = try reader.skip() }
    case .string: _ = try scanString()
    case .number: _ = try number()
    case .bool: _ = try bool()
    case .null: try null()
    }
    return JSONReader(bytes, start..<position)
  }

  /// The text that this reader reads.
  package var text: String { String(decoding: bytes[position..<end], as: UTF8.self) }

  /// Throws unless only white space is left.
  package mutating func finish() throws(JSONFault) {
    skipSpace()
    if position < end { throw fault("unexpected text after the value") }
  }

  // MARK: Pieces

  private var next: UInt8? { position < end ? bytes[position] : nil }

  func fault(_ what: String) -> JSONFault {
    JSONFault(description: position < end ? "\(what) at byte \(position + 1)" : "\(what) at the end of the text")
  }

  private mutating func open(_ bracket: Unicode.Scalar, _ what: String) throws(JSONFault) {
    guard take(bracket) else { throw fault("\(what) is expected") }
    depth += 1
    if depth > Self.depthMax { throw fault("nested more than \(Self.depthMax) levels deep") }
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(JSONFault) {
    if !take(character) { throw fault("'\(character)' is expected") }
  }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    skipSpace()
    let count = word.utf8CodeUnitCount
    guard end - position >= count,
      word.withUTF8Buffer({ bytes[position..<position + count].elementsEqual($0) })
    else { return false }
    position += count
    return true
  }

  private mutating func digits() -> Int {
    let start = position
    while isDigit(position) { position += 1 }
    return position - start
  }

  private func isDigit(_ place: Int) -> Bool { place < end && UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[place] }

  /// The text between the quotes, with its escapes.
  private mutating func scanString() throws(JSONFault) -> ArraySlice<UInt8> {
    guard take("\"") else { throw fault("a string is expected") }
    let start = position
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return bytes[start..<position - 1]
      case UInt8(ascii: "\\"): position += 1
      case ..<0x20: throw fault("a control character must be escaped in a string")
      default: break
      }
    }
    position = end
    throw fault("a string has no closing quote")
  }
}
