// Retention as it is written in settings: `acme=90d,beta=1000,*=all`.

import TwinCore
import TwinStore

enum RetentionText {
  private static let units: [(name: Character, micros: Int64)] = [
    ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
  ]

  /// Each space once; `*` stands for those without a rule, and `all` alone for `*=all`.
  static func parse(_ text: String) -> Retention? {
    if text == "all" { return Retention() }
    var retention = Retention()
    var seen: Set<Substring> = []
    for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, seen.insert(parts[0]).inserted, let rule = rule(parts[1]) else { return nil }
      if parts[0] == "*" {
        retention.others = rule
      } else {
        guard isSpace(parts[0]) else { return nil }
        retention.rules[String(parts[0])] = rule
      }
    }
    return retention
  }

  static func format(_ retention: Retention) -> String {
    let rules = retention.rules.sorted { $0.key < $1.key }.map { "\($0.key)=\(format($0.value))" }
    return (rules + ["*=\(format(retention.others))"]).joined(separator: ",")
  }

  private static func rule(_ text: Substring) -> Retention.Rule? {
    if text == "all" { return .all }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits), number > 0 else { return nil }
    let unit = text.dropFirst(digits.count)
    if unit.isEmpty { return number <= 1_000_000_000 ? .newest(Int(number)) : nil }
    guard unit.count == 1, let micros = units.first(where: { $0.name == unit.first })?.micros else { return nil }
    let (age, isOverflow) = number.multipliedReportingOverflow(by: micros)
    return isOverflow ? nil : .age(age)
  }

  private static func format(_ rule: Retention.Rule) -> String {
    switch rule {
    case .all: return "all"
    case .newest(let count): return "\(count)"
    case .age(let age):
      let unit = units.first { age % $0.micros == 0 } ?? (name: "s", micros: 1_000_000)
      return "\(age / unit.micros)\(unit.name)"
    }
  }

  /// As in the name of a twin.
  private static func isSpace(_ text: Substring) -> Bool {
    var name = text + "/kind/id"
    return name.withUTF8 { bytes in (try? TwinName(UnsafeRawBufferPointer(bytes))) != nil } && !text.contains("/")
  }
}
