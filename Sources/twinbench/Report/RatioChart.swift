// Ratios on one logarithmic axis: the median of the rounds, their spread, and the budget.

import Foundation
import TwinText

struct RatioChart {
  private let contests: [Contest]

  init(_ contests: [Contest]) { self.contests = contests.filter { $0.ratio > 0 } }

  private static let row = 28.0
  private static let left = 230.0
  private static let right = 880.0
  private static let top = 36.0

  /// Empty when there is nothing to show.
  var svg: String {
    guard !contests.isEmpty else { return "" }
    let bottom = Self.top + Self.row * Double(contests.count)
    return """
      <section><h2>At a glance</h2>
      <p>A dot is the median ratio, the line through it the spread over the rounds, the upright bar the budget. At 1 both \
      are equal; to the left twind takes less. “pipelined” and “group-commit” count what is done: to the right it does more. \
      Green: within the budget; orange: not; blue: no budget.</p>
      <svg viewBox="0 0 900 \(Int(bottom + 34))" role="img" aria-label="ratios of twind to its peers">
      \(ticks.map { tick($0, bottom) }.joined(separator: "\n"))
      \(contests.enumerated().map { row($0.element, y: Self.top + Self.row * (Double($0.offset) + 0.5)) }.joined(separator: "\n"))
      <text x="\(Int((Self.left + Self.right) / 2))" y="\(Int(bottom + 28))" text-anchor="middle">twind's figure divided \
      by its peer's (logarithmic)</text>
      </svg>
      </section>
      """
  }

  private var bounds: ClosedRange<Double> {
    let values = contests.flatMap { $0.ratios + [$0.budget ?? 1, 1] }.filter { $0 > 0 }
    return log10((values.min() ?? 1) / 1.15)...log10((values.max() ?? 1) * 1.15)
  }

  private var ticks: [Double] {
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter { bounds.contains(log10($0)) }
  }

  private func place(_ ratio: Double) -> String {
    let part = (log10(ratio) - bounds.lowerBound) / (bounds.upperBound - bounds.lowerBound)
    return FixedText.format(Self.left + (Self.right - Self.left) * part, places: 1)
  }

  private func tick(_ ratio: Double, _ bottom: Double) -> String {
    let x = place(ratio)
    let label = ratio < 1 ? "\(ratio)" : "\(Int(ratio))"
    return
      "<line class=\"\(ratio == 1 ? "one" : "grid")\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Int(Self.top))\" y2=\"\(Int(bottom))\"/>"
      + "<text x=\"\(x)\" y=\"\(Int(Self.top - 8))\" text-anchor=\"middle\">\(label)</text>"
  }

  private func row(_ contest: Contest, y: Double) -> String {
    let ratios = contest.ratios.filter { $0 > 0 }
    let color = contest.isMet.map { $0 ? "s2" : "s1" } ?? "s0"
    var parts = [
      "<text class=\"name\" x=\"\(Int(Self.left - 12))\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(contest.name.escaped)</text>",
      "<line class=\"\(color)\" stroke-width=\"2\" x1=\"\(place(ratios.min() ?? 1))\" x2=\"\(place(ratios.max() ?? 1))\" "
        + "y1=\"\(y)\" y2=\"\(y)\"/>",
      "<circle class=\"\(color)\" cx=\"\(place(contest.ratio))\" cy=\"\(y)\" r=\"5\"><title>"
        + "\(FixedText.format(contest.ratio, places: 2))</title></circle>",
    ]
    if let budget = contest.budget {
      let x = place(budget)
      parts.append("<line class=\"budget\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(y - 9)\" y2=\"\(y + 9)\"/>")
    }
    return parts.joined(separator: "\n")
  }
}
