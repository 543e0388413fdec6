// Formats of times in a file, other than RFC 3339.

/// Numbers since the Unix epoch, or a pattern with directives like strptime.
package struct TimeFormat: Sendable {
  /// For messages.
  package static let forms = "unix, unix-ms, unix-us, or a pattern of \(directives), for example %d.%m.%Y"

  private static let directives = "%Y %y %m %b %d %H %I %p %M %S %f %z %F %T"
  private static let units: [String: Int64] = ["unix": 1_000_000, "unix-ms": 1_000, "unix-us": 1]

  private enum Form { case epoch(unit: Int64), pattern([Piece]) }
  private enum Piece: Equatable { case directive(Character), text(Character) }

  /// As given by the user.
  package let text: String
  private let form: Form

  /// Throws if the format is invalid.
  package init(_ text: String) throws(TextFault) {
    self.text = text
    if let unit = Self.units[text] {
      form = .epoch(unit: unit)
      return
    }
    let pieces = try Self.pieces(text.replacing("%F", with: "%Y-%m-%d").replacing("%T", with: "%H:%M:%S"))
    for (choices, what) in [("Yy", "year"), ("mb", "month"), ("d", "day")]
    where !choices.contains(where: { pieces.contains(.directive($0)) }) {
      throw TextFault("\(text.excerpt()) has no \(what): write \(Self.forms)")
    }
    form = .pattern(pieces)
  }

  /// Microseconds since the Unix epoch; UTC without an offset. nil if the text does not match.
  package func parse(_ text: String) -> Int64? {
    switch form {
    case .epoch(let unit): return Self.epoch(text, unit)
    case .pattern(let pieces):
      var reader = TimeReader(text)
      for piece in pieces {
        switch piece {
        case .text(let character): guard reader.take(character) else { return nil }
        case .directive(let letter): guard reader.take(directive: letter) else { return nil }
        }
      }
      return reader.micros
    }
  }

  private static func pieces(_ text: String) throws(TextFault) -> [Piece] {
    var pieces: [Piece] = []
    var rest = text[...]
    while let character = rest.popFirst() {
      guard character == "%" else {
        pieces.append(.text(character))
        continue
      }
      guard let letter = rest.popFirst(), letter == "%" || directives.contains("%\(letter)") else {
        throw TextFault("\(text.excerpt()) is not a time format: write \(forms)")
      }
      pieces.append(letter == "%" ? .text("%") : .directive(letter))
    }
    return pieces
  }

  private static func epoch(_ text: String, _ unit: Int64) -> Int64? {
    if let whole = Int64(text) {
      let (micros, overflows) = whole.multipliedReportingOverflow(by: unit)
      return overflows ? nil : micros
    }
    let isDecimal = text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "-.".utf8.contains($0) }
    guard isDecimal, let number = Double(text) else { return nil }
    return Int64(exactly: (number * Double(unit)).rounded())
  }
}

/// Takes the parts of a time one by one.
private struct TimeReader {
  private static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
  ]

  private var rest: Substring
  private var time = CivilTime(year: 1970, month: 1, day: 1)
  private var isAfternoon: Bool?
  private var offsetMinutes: Int64 = 0

  init(_ text: String) { rest = text[...] }

  /// nil if text is left over, or if there is no such day or hour.
  var micros: Int64? {
    var time = time
    if let isAfternoon {
      guard (1...12).contains(time.hour) else { return nil }
      time.hour = time.hour % 12 + (isAfternoon ? 12 : 0)
    }
    guard rest.isEmpty, time.isDate, time.hour < 24, time.minute < 60, time.second < 60 else { return nil }
    return time.totalMicros - offsetMinutes * 60_000_000
  }

  /// A space matches any number of spaces.
  mutating func take(_ character: Character) -> Bool {
    if character == " " {
      rest = rest.drop { $0 == " " }
      return true
    }
    guard rest.first == character else { return false }
    rest.removeFirst()
    return true
  }

  mutating func take(directive: Character) -> Bool {
    switch directive {
    case "Y": return number(4, \.year)
    case "y":
      guard number(2, \.year) else { return false }
      time.year += time.year < 69 ? 2000 : 1900
      return true
    case "m": return number(2, \.month)
    case "b": return month()
    case "d": return number(2, \.day)
    case "H", "I": return number(2, \.hour)
    case "M": return number(2, \.minute)
    case "S": return number(2, \.second)
    case "f": return fraction()
    case "p": return half()
    case "z": return offset()
    default: return false
    }
  }

  private mutating func digits(_ most: Int) -> String? {
    let digits = rest.prefix(most).prefix { $0.isASCII && $0.isNumber }
    rest = rest.dropFirst(digits.count)
    return digits.isEmpty ? nil : String(digits)
  }

  private mutating func number(_ most: Int, _ part: WritableKeyPath<CivilTime, Int64>) -> Bool {
    guard let number = digits(most).flatMap({ Int64($0) }) else { return false }
    time[keyPath: part] = number
    return true
  }

  /// The fraction of a second, truncated to microseconds.
  private mutating func fraction() -> Bool {
    guard let digits = digits(18) else { return false }
    time.micros = Int64((digits + "00000").prefix(6)) ?? 0
    return true
  }

  private mutating func month() -> Bool {
    let word = rest.prefix { $0.isLetter }.lowercased()
    guard let index = Self.months.firstIndex(where: { $0 == word || $0.prefix(3) == word }) else { return false }
    time.month = Int64(index) + 1
    rest = rest.dropFirst(word.count)
    return true
  }

  private mutating func half() -> Bool {
    let word = rest.prefix(2).lowercased()
    guard word == "am" || word == "pm" else { return false }
    isAfternoon = word == "pm"
    rest = rest.dropFirst(2)
    return true
  }

  /// `Z`, `+01:00`, `+0100`, `+01`.
  private mutating func offset() -> Bool {
    if take("Z") || take("z") { return true }
    let isWest = rest.first == "-"
    guard isWest || rest.first == "+" else { return false }
    rest.removeFirst()
    guard let hours = digits(2).flatMap({ Int64($0) }), hours < 24 else { return false }
    _ = take(":")
    let minutes = digits(2).flatMap { Int64($0) } ?? 0
    guard minutes < 60 else { return false }
    offsetMinutes = (hours * 60 + minutes) * (isWest ? -1 : 1)
    return true
  }
}
