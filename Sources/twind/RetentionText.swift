// Parses and formats retention rules: `acme=90d,beta=1000facts,*=all`.

import TwinCore
import TwinStore
import TwinText

enum RetentionText {
  private static let units: [(name: String, micros: Int64)] = [
    ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
  ]
  /// The unit of a number of facts. A number without a unit is refused, since 90 could be mistaken for days.
  private static let facts = "facts"

  /// Each space may appear once; `*` is for all others; `all` alone means `*=all`. The error says what to write
  /// instead.
  static func parse(_ text: String) throws(TextFault) -> Retention {
    if text == "all" { return Retention() }
    var retention = Retention()
    var seen: Set<Substring> = []
    for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == "*" || isSpace(parts[0]) else {
        throw TextFault("\(String(pair).excerpt()) has no space: write rules such as acme=90d,*=all")
      }
      if !seen.insert(parts[0]).inserted { throw TextFault("\(String(parts[0]).excerpt()) appears twice") }
      let rule = try rule(parts[1], of: parts[0])
      if parts[0] == "*" { retention.others = rule } else { retention.rules[String(parts[0])] = rule }
    }
    return retention
  }

  static func format(_ retention: Retention) -> String {
    let rules = retention.rules.sorted { $0.key < $1.key }.map { "\($0.key)=\(format($0.value))" }
    return (rules + ["*=\(format(retention.others))"]).joined(separator: ",")
  }

  private static func rule(_ text: Substring, of space: Substring) throws(TextFault) -> Retention.Rule {
    if text == "all" { return .all }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = String(text.dropFirst(digits.count))
    guard let number = Int64(digits), number > 0 else {
      throw TextFault("\("\(space)=\(text)".excerpt()) is not a rule: write 90d, 1000facts or all")
    }
    if unit == facts && number <= 1_000_000_000 { return .newest(Int(number)) }
    if unit.isEmpty {
      throw TextFault(
        "\(space)=\(number) has no unit: write \(space)=\(number)d for \(number) days, or \(space)=\(number)facts for "
          + "the newest \(number) facts of each twin")
    }
    let micros = units.first { $0.name == unit }?.micros
    guard let age = micros.map(number.multipliedReportingOverflow), !age.overflow else {
      throw TextFault("\("\(space)=\(text)".excerpt()) is not a rule: write 90d (s, m, h, d), 1000facts or all")
    }
    return .age(age.partialValue)
  }

  private static func format(_ rule: Retention.Rule) -> String {
    switch rule {
    case .all: return "all"
    case .newest(let count): return "\(count)\(facts)"
    case .age(let age):
      let unit = units.first { age % $0.micros == 0 } ?? (name: "s", micros: 1_000_000)
      return "\(age / unit.micros)\(unit.name)"
    }
  }

  /// The grammar of spaces in names of twins.
  private static func isSpace(_ text: Substring) -> Bool {
    var name = text + "/kind/id"
    return name.withUTF8 { bytes in (try? TwinName(UnsafeRawBufferPointer(bytes))) != nil } && !text.contains("/")
  }
}
