// How options are written.

import ArgumentParser
import TwinText

/// Parsers of option values; each throws what to write instead.
enum OptionText {
  @Sendable
  static func duration(_ text: String) throws -> Duration {
    guard let duration = DurationText.parse(text) else {
      throw ValidationError("\(text.excerpt()) is not a duration: write 250ms, 1s or 5m")
    }
    return duration
  }

  @Sendable
  static func pins(_ text: String) throws -> Pins {
    var pins = Pins()
    for (name, core) in try pairs(text, "has no cores: write client=1,server=0") {
      switch name {
      case "client": pins.client = core
      case "server": pins.server = core
      default: throw ValidationError("\(name.excerpt()) is neither client nor server")
      }
    }
    return pins
  }

  @Sendable
  static func mix(_ text: String) throws -> Mix {
    var weights: [(Operation, Int)] = []
    for (name, weight) in try pairs(text, "is not a mix: write read=90,update=10") {
      guard let operation = Operation(rawValue: name) else {
        let known = Operation.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("\(name.excerpt()) is not an operation: choose from \(known)")
      }
      weights.append((operation, weight))
    }
    guard weights.contains(where: { $0.1 > 0 }), weights.allSatisfy({ $0.1 <= 1_000_000 }) else {
      throw ValidationError("\(text.excerpt()) has no weights: write read=90,update=10")
    }
    return Mix(weights)
  }

  @Sendable
  static func keys(_ text: String) throws -> KeyDistribution {
    if text == "uniform" { return .uniform }
    guard let exponent = Double(text), exponent > 0, exponent < 10, exponent != 1 else {
      throw ValidationError(
        "\(text.excerpt()) is not a distribution: write uniform, or an exponent such as 0.99 (not 1)")
    }
    return .zipf(exponent)
  }

  private static func pairs(_ text: String, _ problem: String) throws -> [(String, Int)] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let pair = part.split(separator: "=")
      guard pair.count == 2, let number = Int(pair[1]), number >= 0 else {
        throw ValidationError("\(text.excerpt()) \(problem)")
      }
      return (String(pair[0]), number)
    }
  }

  /// Throws when a number is out of its range.
  static func check(_ bounds: [(name: String, value: Int, range: ClosedRange<Int>)]) throws {
    for (name, value, range) in bounds where !range.contains(value) {
      throw ValidationError("\(name) is \(value): use \(range.lowerBound) to \(range.upperBound)")
    }
  }
}

/// Cores to run on; nil = any.
struct Pins {
  var client: Int?
  var server: Int?

  var settings: [(String, String)] {
    [("client core", client.map { "\($0)" } ?? "any"), ("server core", server.map { "\($0)" } ?? "any")]
  }
}
