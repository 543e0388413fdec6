// Timestamps as text: RFC 3339 for programs, local time for people.

import Glibc

/// Microseconds since the Unix epoch, to and from text.
package enum TimestampText {
  /// Parses RFC 3339, or just a date; UTC without an offset. Fractions are truncated to microseconds, and a leap second
  /// becomes the first second of the next minute. nil if it is neither.
  package static func parse(_ text: String) -> Int64? {
    var scanner = Scanner(text)
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
      let day = scanner.number(2)
    else { return nil }
    var time = CivilTime(year: year, month: month, day: day)
    guard time.isDate else { return nil }
    if scanner.isAtEnd { return time.totalMicros }
    guard scanner.take("T") || scanner.take("t") || scanner.take(" "), let hour = scanner.number(2), hour < 24,
      scanner.take(":"), let minute = scanner.number(2), minute < 60
    else { return nil }
    time.hour = hour
    time.minute = minute
    if scanner.take(":") {
      guard let second = scanner.number(2), second < 60 || (second == 60 && minute == 59) else { return nil }
      time.second = second
      if scanner.take(".") {
        guard let micros = scanner.fraction() else { return nil }
        time.micros = micros
      }
    }
    guard let offset = scanner.offsetMinutes(), scanner.isAtEnd else { return nil }
    return time.totalMicros - offset * 60_000_000
  }

  /// RFC 3339 in UTC, exact; nil outside the years 0000 to 9999, which RFC 3339 does not have.
  package static func utc(_ micros: Int64) -> String? {
    let time = CivilTime(micros: micros)
    return (0...9999).contains(time.year) ? text(time) + "Z" : nil
  }

  /// In the local time zone, with the offset; the number if RFC 3339 does not have the year.
  package static func local(_ micros: Int64) -> String {
    var seconds = time_t(micros / 1_000_000 - (micros % 1_000_000 < 0 ? 1 : 0))
    var parts = tm()
    guard utc(micros) != nil, localtime_r(&seconds, &parts) != nil else { return "\(micros) µs" }
    let offset = Int64(parts.tm_gmtoff)
    let there = CivilTime(micros: micros + offset * 1_000_000)
    guard (0...9999).contains(there.year) else { return "\(micros) µs" }
    let minutes = offset.magnitude / 60
    let sign = offset < 0 ? "-" : "+"
    return text(there)
      + "\(sign)\(twoDigits(UInt64(minutes / 60))):\(twoDigits(UInt64(minutes % 60)))"
  }

  private static func text(_ time: CivilTime) -> String {
    String(unsafeUninitializedCapacity: 32) { room in
      var count = 0
      func put(_ character: Unicode.Scalar) {
        room[count] = UInt8(ascii: character)
        count += 1
      }
      func put(_ number: Int64, _ digits: Int) {
        var rest = number
        for place in (count..<count + digits).reversed() {
          room[place] = UInt8(ascii: "0") + UInt8(rest % 10)
          rest /= 10
        }
        count += digits
      }
      put(time.year, 4)
      put("-")
      put(time.month, 2)
      put("-")
      put(time.day, 2)
      put("T")
      put(time.hour, 2)
      put(":")
      put(time.minute, 2)
      put(":")
      put(time.second, 2)
      if time.micros != 0 {
        put(".")
        if time.micros % 1000 == 0 { put(time.micros / 1000, 3) } else { put(time.micros, 6) }
      }
      return count
    }
  }

  private static func twoDigits(_ number: UInt64) -> String { (number < 10 ? "0" : "") + "\(number)" }
}

/// Takes the parts of a timestamp one by one.
private struct Scanner {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = Substring(text).utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// Exactly this many digits.
  mutating func number(_ count: Int) -> Int64? {
    let digits = rest.prefix(count)
    guard digits.count == count, let number = Self.value(digits) else { return nil }
    rest = rest.dropFirst(count)
    return number
  }

  /// One or more digits, as microseconds.
  mutating func fraction() -> Int64? {
    let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard !digits.isEmpty, var micros = Self.value(digits.prefix(6)) else { return nil }
    rest = rest.dropFirst(digits.count)
    for _ in digits.prefix(6).count..<6 { micros *= 10 }
    return micros
  }

  /// `Z`, `+01:00`, or nothing, which is UTC.
  mutating func offsetMinutes() -> Int64? {
    if isAtEnd || take("Z") || take("z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = number(2), hours < 24, take(":"), let minutes = number(2), minutes < 60
    else { return nil }
    return (hours * 60 + minutes) * (isWest ? -1 : 1)
  }

  private static func value(_ digits: Substring.UTF8View.SubSequence) -> Int64? {
    var value: Int64 = 0
    for byte in digits {
      guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return value
  }
}
