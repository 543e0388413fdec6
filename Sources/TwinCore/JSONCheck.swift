// Whether a text is JSON as RFC 8259 has it: no trailing commas, no comments, no bare words.
//
// Promises: linear time, no recursion, at most `Limits.jsonDepthMax` levels of arrays and objects. Takes text
// that is known to be UTF-8; a `json_value` passes here before it is stored.

struct JSONCheck {
  private let text: UnsafeRawBufferPointer
  private var position = 0
  /// One bit for each open level, the innermost lowest: 1 = object, 0 = array.
  private var levels: UInt64 = 0
  private var depth = 0

  struct Fault {
    /// Why the text is not JSON, with the place.
    let reason: String
    /// The limit that it is beyond, if that is why.
    let limit: TwinError.Detail?
  }

  /// Nil when the text is JSON.
  static func fault(in text: UnsafeRawBufferPointer) -> Fault? {
    var check = JSONCheck(text: text)
    return check.run()
  }

  private init(text: UnsafeRawBufferPointer) { self.text = text }

  private mutating func run() -> Fault? {
    while true {
      skipSpace()
      guard let isClosed = beginValue() else { return fault }
      // A value is complete: close levels until one goes on.
      if !isClosed { continue }
      while true {
        skipSpace()
        if depth == 0 {
          return position == text.count
            ? nil : Fault(reason: "unexpected text after the value, at byte \(position)", limit: nil)
        }
        let isObject = levels & 1 == 1
        if take(",") {
          if isObject, !takeKey() { return fault }
          break
        }
        guard take(isObject ? "}" : "]") else { return fault }
        close()
      }
    }
  }

  private var fault: Fault {
    if depth > Limits.jsonDepthMax {
      return Fault(
        reason: "it is nested more than \(Limits.jsonDepthMax) levels deep (jsonDepthMax)",
        limit: .limit("jsonDepthMax", maximum: Limits.jsonDepthMax, actual: depth))
    }
    return Fault(
      reason: position == text.count ? "it is incomplete" : "it is malformed at byte \(position)", limit: nil)
  }

  /// Takes a scalar or an empty container (true), or opens a container up to its first value (false).
  private mutating func beginValue() -> Bool? {
    guard position < text.count else { return nil }
    switch text[position] {
    case UInt8(ascii: "{"):
      guard open(isObject: true) else { return nil }
      skipSpace()
      if take("}") {
        close()
        return true
      }
      return takeKey(afterSpace: false) ? false : nil
    case UInt8(ascii: "["):
      guard open(isObject: false) else { return nil }
      skipSpace()
      if take("]") {
        close()
        return true
      }
      return false
    case UInt8(ascii: "\""): return takeString() ? true : nil
    case UInt8(ascii: "t"): return takeWord("true") ? true : nil
    case UInt8(ascii: "f"): return takeWord("false") ? true : nil
    case UInt8(ascii: "n"): return takeWord("null") ? true : nil
    default: return takeNumber() ? true : nil
    }
  }

  private mutating func open(isObject: Bool) -> Bool {
    depth += 1
    if depth > Limits.jsonDepthMax { return false }
    position += 1
    levels = levels << 1 | (isObject ? 1 : 0)
    return true
  }

  private mutating func close() {
    depth -= 1
    levels >>= 1
  }

  private mutating func takeKey(afterSpace: Bool = true) -> Bool {
    if afterSpace { skipSpace() }
    guard takeString() else { return false }
    skipSpace()
    return take(":")
  }

  private mutating func takeString() -> Bool {
    guard take("\"") else { return false }
    while position < text.count {
      let byte = text[position]
      if byte < 0x20 { return false }
      position += 1
      if byte == UInt8(ascii: "\"") { return true }
      if byte == UInt8(ascii: "\\"), !takeEscape() { return false }
    }
    return false
  }

  private mutating func takeEscape() -> Bool {
    guard position < text.count else { return false }
    if take("u") {
      for _ in 0..<4 {
        guard position < text.count, isHexDigit(text[position]) else { return false }
        position += 1
      }
      return true
    }
    guard #""\/bfnrt"#.utf8.contains(text[position]) else { return false }
    position += 1
    return true
  }

  private mutating func takeNumber() -> Bool {
    _ = take("-")
    if !take("0"), !takeDigits() { return false }
    if take("."), !takeDigits() { return false }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      return takeDigits()
    }
    return true
  }

  private mutating func takeDigits() -> Bool {
    let start = position
    while position < text.count, isDigit(text[position]) { position += 1 }
    return position > start
  }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    let bytes = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard UnsafeRawBufferPointer(rebasing: text[position...]).starts(with: bytes) else { return false }
    position += bytes.count
    return true
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position += 1
      default: return
      }
    }
  }

  private func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6 }
}
