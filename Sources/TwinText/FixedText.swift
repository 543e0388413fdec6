// Formatting numbers for people.

/// Decimal places, groups of thousands, powers of 1024, shares of a whole.
package enum FixedText {
  /// Rounded to this many decimal places.
  package static func format(_ number: Double, places: Int) -> String {
    guard number.isFinite, number.magnitude < 1e15 else { return "\(number)" }
    var scale: Int64 = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = Int64((number.magnitude * Double(scale)).rounded())
    let sign = number < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % scale)
    return "\(sign)\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
  }

  /// `1,234,567`
  package static func grouped(_ number: UInt64) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// `1 row`, `1,234 rows`
  package static func count(_ number: Int, _ thing: String) -> String {
    "\(grouped(UInt64(max(number, 0)))) \(thing)\(number == 1 ? "" : "s")"
  }

  /// `[######------------------] 25 %`
  /// - Parameter part: of the whole, 0 to 1.
  package static func bar(_ part: Double) -> String {
    let columns = 24
    let part = min(max(part, 0), 1)
    let filled = Int(part * Double(columns))
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: columns - filled)
    return "[\(bar)] \(format(part * 100, places: 0)) %"
  }

  /// `512 B`, `1.5 KiB`, `3.2 MiB`
  package static func bytes(_ count: UInt64) -> String {
    if count < 1024 { return "\(count) B" }
    var amount = Double(count)
    var unit = 0
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while amount >= 1024 {
      amount /= 1024
      unit += 1
    }
    return "\(format(amount, places: 1)) \(units[unit])"
  }
}
