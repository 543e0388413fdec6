// The progress of a long command: one line on standard error if it is a terminal, otherwise nothing.

import Glibc
import TwinStore
import TwinText

final class ProgressLine {
  private static let barColumns = 24
  private static let interval = Duration.milliseconds(100)

  private let isShown = isatty(STDERR_FILENO) == 1
  private var shownAt: ContinuousClock.Instant?

  deinit { clear() }

  func show(_ progress: CheckProgress) {
    guard isShown else { return }
    let now = ContinuousClock.now
    if let shownAt, now - shownAt < Self.interval { return }
    shownAt = now
    var line = progress.step
    if progress.total > 0 {
      let part = min(1, Double(progress.done) / Double(progress.total))
      let filled = Int(part * Double(Self.barColumns))
      let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: Self.barColumns - filled)
      line += "  [\(bar)] \(FixedText.format(part * 100, places: 0)) %"
    } else if progress.done > 0 {
      line += "  \(FixedText.grouped(UInt64(progress.done)))"
    }
    write("\r\u{1b}[K\(line)")
  }

  /// Clears the line.
  func clear() {
    if shownAt != nil { write("\r\u{1b}[K") }
    shownAt = nil
  }

  /// Errors are ignored.
  private func write(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
