// Lines on axes, as SVG.

import Foundation
import TwinText

struct Chart {
  struct Line {
    let name: String
    let points: [(x: Double, y: Double)]
  }

  struct Tick {
    let position: Double
    let label: String
  }

  let title: String
  let xTitle: String
  let yTitle: String
  let xTicks: [Tick]
  let lines: [Line]
  /// Positions on the horizontal axis, from left to right.
  let xRange: ClosedRange<Double>
  /// Powers of ten on the vertical axis; otherwise from 0.
  var isLogarithmic = false
  /// What a value on the vertical axis is called.
  let yLabel: (Double) -> String

  private static let size = (width: 900.0, height: 360.0)
  private static let edge = (left: 78.0, right: 16.0, top: 44.0, bottom: 52.0)

  var svg: String {
    """
    <svg viewBox="0 0 \(Int(Self.size.width)) \(Int(Self.size.height))" role="img" aria-label="\(label.escaped)">
    \(grid)
    \(lines.enumerated().reversed().map { line($0.offset, $0.element) }.joined(separator: "\n"))
    \(legend)
    <text x="\(number(middle.x))" y="\(number(Self.size.height - 8))" text-anchor="middle">\(xTitle.escaped)</text>
    <text transform="translate(14 \(number(middle.y))) rotate(-90)" text-anchor="middle">\(yTitle.escaped)</text>
    </svg>
    """
  }

  private var label: String { "\(yTitle) over \(xTitle): " + lines.map(\.name).joined(separator: ", ") }

  private var middle: (x: Double, y: Double) {
    (
      (Self.edge.left + Self.size.width - Self.edge.right) / 2,
      (Self.edge.top + Self.size.height - Self.edge.bottom) / 2
    )
  }

  private var grid: String {
    let (left, right) = (Self.edge.left, Self.size.width - Self.edge.right)
    let (top, bottom) = (Self.edge.top, Self.size.height - Self.edge.bottom)
    let rows = yTicks.map { tick in
      let y = number(place(y: tick.position))
      return "<line class=\"grid\" x1=\"\(number(left))\" x2=\"\(number(right))\" y1=\"\(y)\" y2=\"\(y)\"/>"
        + "<text x=\"\(number(left - 8))\" y=\"\(y)\" dy=\"4\" text-anchor=\"end\">\(tick.label.escaped)</text>"
    }
    let columns = xTicks.map { tick in
      let x = number(place(x: tick.position))
      return "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(number(top))\" y2=\"\(number(bottom))\"/>"
        + "<text x=\"\(x)\" y=\"\(number(bottom + 18))\" text-anchor=\"middle\">\(tick.label.escaped)</text>"
    }
    let axis =
      "<path class=\"axis\" fill=\"none\" d=\"M\(number(left)) \(number(top))V\(number(bottom))H\(number(right))\"/>"
    return (rows + columns + [axis]).joined(separator: "\n")
  }

  private var legend: String {
    var x = Self.edge.left
    var parts = ["<text class=\"title\" x=\"\(number(x))\" y=\"18\">\(title.escaped)</text>"]
    guard lines.count > 1 else { return parts[0] }
    for (index, line) in lines.enumerated() {
      parts.append(
        "<line class=\"s\(index % 5)\" stroke-width=\"3\" x1=\"\(number(x))\" x2=\"\(number(x + 18))\" y1=\"32\" y2=\"32\"/>"
      )
      parts.append("<text class=\"s\(index % 5)\" x=\"\(number(x + 24))\" y=\"36\">\(line.name.escaped)</text>")
      x += 44 + 7.5 * Double(line.name.count)
    }
    return parts.joined(separator: "\n")
  }

  private func line(_ index: Int, _ line: Line) -> String {
    let points = line.points.map { "\(number(place(x: $0.x))),\(number(place(y: $0.y)))" }.joined(separator: " ")
    return "<polyline class=\"s\(index % 5)\" points=\"\(points)\"><title>\(line.name.escaped)</title></polyline>"
  }

  private func place(x: Double) -> Double {
    let width = Self.size.width - Self.edge.left - Self.edge.right
    let span = max(xRange.upperBound - xRange.lowerBound, 1e-9)
    return Self.edge.left + width * (x - xRange.lowerBound) / span
  }

  private func place(y: Double) -> Double {
    let height = Self.size.height - Self.edge.top - Self.edge.bottom
    let (low, high) = (scaled(yBounds.lowerBound), scaled(yBounds.upperBound))
    let part = (scaled(max(y, yBounds.lowerBound)) - low) / max(high - low, 1e-9)
    return Self.size.height - Self.edge.bottom - height * part
  }

  private func scaled(_ y: Double) -> Double { isLogarithmic ? log10(max(y, 1e-9)) : y }

  /// From a round number to a round number.
  private var yBounds: ClosedRange<Double> {
    let values = lines.flatMap { $0.points.map(\.y) }
    let high = max(values.max() ?? 1, 1e-9)
    guard isLogarithmic else { return 0...(step * max((high / step).rounded(.up), 1)) }
    let low = max(values.min() ?? 1, 1e-9)
    return pow(10, log10(low).rounded(.down))...pow(10, max(log10(high).rounded(.up), log10(low).rounded(.down) + 1))
  }

  private var yTicks: [Tick] {
    guard isLogarithmic else {
      return stride(from: 0, through: yBounds.upperBound * 1.0001, by: step).map {
        Tick(position: $0, label: yLabel($0))
      }
    }
    let powers = Int(log10(yBounds.lowerBound).rounded())...Int(log10(yBounds.upperBound).rounded())
    return powers.map { Tick(position: pow(10, Double($0)), label: yLabel(pow(10, Double($0)))) }
  }

  /// Between lines of a linear axis: 1, 2 or 5 times a power of ten, so that there are four to eight of them.
  private var step: Double { Self.step(for: lines.flatMap { $0.points.map(\.y) }.max() ?? 1) }

  static func step(for high: Double) -> Double {
    let rough = max(high, 1e-9) / 5
    let power = pow(10, log10(rough).rounded(.down))
    return (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10) * power
  }

  private func number(_ value: Double) -> String { FixedText.format(value, places: 1) }
}
