// Times on the command line: RFC 3339, a date, now, or an offset from now.

package enum MomentText {
  /// The possible forms, for messages.
  package static let forms = "RFC 3339, a date, now, or an offset like -2h or +1d12h"

  private static let micros: [Character: Int64] = [
    "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000,
  ]

  /// Microseconds since the Unix epoch; nil if the text is not a time.
  /// - Parameter now: the time that offsets refer to.
  package static func parse(_ text: String, now: Int64) -> Int64? {
    if text == "now" { return now }
    guard let sign = text.first, sign == "-" || sign == "+" else { return TimestampText.parse(text) }
    guard let offset = offset(text.dropFirst()) else { return nil }
    let (moment, overflows) =
      sign == "-" ? now.subtractingReportingOverflow(offset) : now.addingReportingOverflow(offset)
    return overflows ? nil : moment
  }

  /// `2h`, `1d12h`: whole numbers with a unit each.
  private static func offset(_ text: Substring) -> Int64? {
    var rest = text
    var total: Int64 = 0
    repeat {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      guard let number = Int64(digits), let unit = rest.popFirst().flatMap({ micros[$0] }) else { return nil }
      let (part, isTooLong) = number.multipliedReportingOverflow(by: unit)
      let (sum, overflows) = total.addingReportingOverflow(part)
      if isTooLong || overflows { return nil }
      total = sum
    } while !rest.isEmpty
    return total
  }
}
