// The progress of a long command: one line on a terminal, nothing on a pipe. Short commands show none.

import TwinText

struct Progress {
  private static let interval = Duration.milliseconds(100)
  private static let patience = Duration.milliseconds(500)

  private let start = ContinuousClock.now
  private var shownAt: ContinuousClock.Instant?
  /// The unit of the count.
  private let unit: String

  init(unit: String) { self.unit = unit }

  var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// The rate per second so far.
  func rate(_ count: Int) -> Double { Double(count) / max(seconds, 0.001) }

  /// - Parameters:
  ///   - count: how many are done.
  ///   - part: the part of the whole, 0 to 1; nil: unknown.
  mutating func show(_ count: Int, part: Double?) {
    guard Terminal.isError else { return }
    let now = ContinuousClock.now
    if shownAt.map({ now - $0 < Self.interval }) ?? (now - start < Self.patience) { return }
    shownAt = now
    var line = "\(FixedText.grouped(UInt64(count))) \(unit)  \(FixedText.grouped(UInt64(rate(count))))/s"
    if let part {
      line = "\(FixedText.bar(part))  \(line)"
      if part > 0 && part < 1 {
        line += "  \(DurationText.format(micros: Int64(seconds * (1 - part) / part * 1e6))) left"
      }
    }
    Terminal.error("\r\u{1b}[K" + DisplayText.line(line, width: max(20, (Terminal.width ?? 80) - 2)))
  }

  /// Clears the line.
  mutating func clear() {
    if shownAt != nil { Terminal.error("\r\u{1b}[K") }
    shownAt = nil
  }
}
