// Who takes part in a comparison.

final class Contestant {
  /// "Redis GET"
  let name: String
  /// What it was run with.
  let settings: String
  private let turn: (Duration) throws -> Score
  private(set) var scores: [Score] = []

  init(_ name: String, settings: String, turn: @escaping (Duration) throws -> Score) {
    self.name = name
    self.settings = settings
    self.turn = turn
  }

  /// One that is measured through a lane.
  convenience init<L: Lane>(
    _ name: String, settings: String, _ lane: L, keyCount: Int, inFlight: Int = 1, core: Int?
  ) {
    self.init(name, settings: settings) { length in
      let load = Load(
        mix: .only(.read), keyCount: keyCount, inFlight: inFlight, warmup: length / 8, duration: length, core: core,
        intervalCount: 1)
      return Score(try load.run([lane]))
    }
  }

  /// The median of a figure over all turns; nil when it has none.
  func median(_ metric: Metric) -> Double? {
    let values = scores.compactMap { $0[metric] }
    return values.isEmpty ? nil : Contest.median(values)
  }

  func takeTurn(_ length: Duration) throws { scores.append(try turn(length)) }

  /// One turn that does not count: it shows whether the contestant can take part.
  func rehearse() throws { _ = try turn(.milliseconds(20)) }
}
