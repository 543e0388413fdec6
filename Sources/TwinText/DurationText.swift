// Parsing and formatting durations.

/// `50us`, `250ms`, `1s`, `5m`, `2h`.
package enum DurationText {
  /// nil unless it is a whole number above 0 with one of the units.
  package static func parse(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits), number > 0, number < 1_000_000_000 else { return nil }
    switch text.dropFirst(digits.count) {
    case "us": return .microseconds(number)
    case "ms": return .milliseconds(number)
    case "s": return .seconds(number)
    case "m": return .seconds(number * 60)
    case "h": return .seconds(number * 3600)
    default: return nil
    }
  }

  /// As `parse` reads it, in the largest unit up to seconds that it is whole in.
  package static func format(_ duration: Duration) -> String {
    let micros = Int64(duration / .microseconds(1))
    if micros % 1_000_000 == 0 { return "\(micros / 1_000_000)s" }
    return micros % 1_000 == 0 ? "\(micros / 1_000)ms" : "\(micros)us"
  }

  /// For people, with the unit that fits: `850 µs`, `12.3 ms`, `4.2 s`, `3 min 20 s`, `2 d 4 h`.
  package static func format(micros: Int64) -> String {
    let seconds = micros / 1_000_000
    switch micros {
    case ..<1_000: return "\(micros) µs"
    case ..<1_000_000: return "\(FixedText.format(Double(micros) / 1_000, places: 1)) ms"
    case ..<60_000_000: return "\(FixedText.format(Double(micros) / 1_000_000, places: 1)) s"
    case ..<3_600_000_000: return "\(seconds / 60) min \(seconds % 60) s"
    case ..<86_400_000_000: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
    }
  }
}
