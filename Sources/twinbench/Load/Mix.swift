// Operations by weight.

struct Mix: CustomStringConvertible {
  private let weights: [(operation: Operation, weight: Int)]
  private let total: Int

  /// At least one weight must be above 0.
  init(_ weights: [(Operation, Int)]) {
    self.weights = weights.filter { $0.1 > 0 }.map { ($0.0, $0.1) }
    total = self.weights.reduce(0) { $0 + $1.weight }
  }

  static func only(_ operation: Operation) -> Mix { Mix([(operation, 1)]) }

  var operations: [Operation] { weights.map(\.operation) }

  func choose(_ random: inout RandomNumbers) -> Operation {
    if weights.count == 1 { return weights[0].operation }
    var point = random.below(total)
    for (operation, weight) in weights {
      if point < weight { return operation }
      point -= weight
    }
    return weights[0].operation
  }

  var description: String { weights.map { "\($0.operation.rawValue)=\($0.weight)" }.joined(separator: ",") }
}
