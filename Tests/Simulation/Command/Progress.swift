// How far a long run has come: one line on a terminal, nothing on a pipe.

import Glibc

struct Progress {
  private static let barColumns = 24
  private static let interval = Duration.milliseconds(100)

  private let start = ContinuousClock.now
  private var shownAt: ContinuousClock.Instant?
  private let whole: Int
  private let unit: String

  init(whole: Int, unit: String) {
    self.whole = whole
    self.unit = unit
  }

  var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  var secondsText: String { "\(Double(Int(seconds * 10)) / 10)" }

  mutating func show(_ done: Int) {
    let now = ContinuousClock.now
    if isatty(STDERR_FILENO) == 0 || shownAt.map({ now - $0 < Self.interval }) == true { return }
    shownAt = now
    let filled = done * Self.barColumns / max(whole, 1)
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: Self.barColumns - filled)
    var line = "[\(bar)] \(done) of \(whole) \(unit)"
    if done > 0 { line += ", \(Int(seconds * Double(whole - done) / Double(done))) s left" }
    write(line)
  }

  /// Takes the line away.
  mutating func clear() {
    if shownAt != nil { write("") }
    shownAt = nil
  }

  private func write(_ line: String) {
    let text = Array("\r\u{1b}[K\(line)".utf8)
    _ = Glibc.write(STDERR_FILENO, text, text.count)
  }
}
