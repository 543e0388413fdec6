// Which twin comes next.

import Foundation

enum KeyDistribution: CustomStringConvertible {
  case uniform
  /// The twin of rank n is chosen in proportion to 1/n^exponent.
  case zipf(Double)

  var description: String {
    switch self {
    case .uniform: "uniform"
    case .zipf(let exponent): "Zipf \(exponent)"
    }
  }
}

/// Chooses keys below a count. Zipf by inversion of a harmonic sum's integral with rejection (Hörmann and Derflinger,
/// 1996): no table, and constant time for any number of keys.
struct KeyChoice {
  private let count: Int
  private let exponent: Double?
  private let low: Double
  private let high: Double

  init(_ distribution: KeyDistribution, count: Int) {
    self.count = count
    switch distribution {
    case .uniform: (exponent, low, high) = (nil, 0, 0)
    case .zipf(let exponent):
      self.exponent = exponent
      low = Self.integral(1.5, exponent) - 1
      high = Self.integral(Double(count) + 0.5, exponent)
    }
  }

  func choose(_ random: inout RandomNumbers) -> Int {
    guard let exponent else { return random.below(count) }
    while true {
      let area = high + random.fraction() * (low - high)
      let rank = min(max(Self.inverse(area, exponent).rounded(), 1), Double(count))
      if area >= Self.integral(rank + 0.5, exponent) - pow(rank, -exponent) { return Int(rank) - 1 }
    }
  }

  private static func integral(_ rank: Double, _ exponent: Double) -> Double {
    (pow(rank, 1 - exponent) - 1) / (1 - exponent)
  }

  private static func inverse(_ area: Double, _ exponent: Double) -> Double {
    pow(max(1 + area * (1 - exponent), 0), 1 / (1 - exponent))
  }
}
