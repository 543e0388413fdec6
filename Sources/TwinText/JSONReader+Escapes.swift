// Decodes JSON strings.

extension JSONReader {
  /// The string that is written with escapes.
  static func unescaped(_ raw: ArraySlice<UInt8>, _ fault: (String) -> JSONFault) throws(JSONFault) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(raw.count)
    var rest = raw
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let scalar = escape(&rest) else {
        throw fault("a string has an unknown escape or half of a surrogate pair")
      }
      text.append(contentsOf: UTF8.encode(scalar)!)
    }
    guard let string = String(validating: text, as: UTF8.self) else { throw fault("a string is not UTF-8") }
    return string
  }

  /// The character that follows a backslash.
  private static func escape(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
    switch rest.popFirst() {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return unicode(&rest)
    default: return nil
    }
  }

  private static func unicode(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
    guard let code = hex(&rest) else { return nil }
    guard 0xd800..<0xdc00 ~= code else { return Unicode.Scalar(code) }
    guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"), let low = hex(&rest),
      0xdc00..<0xe000 ~= low
    else { return nil }
    return Unicode.Scalar(0x10000 + (code - 0xd800) << 10 + (low - 0xdc00))
  }

  private static func hex(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = rest.popFirst(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      code = code << 4 | UInt32(digit)
    }
    return code
  }
}
