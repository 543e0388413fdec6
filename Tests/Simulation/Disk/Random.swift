// The one source of chance: SplitMix64 (Steele, Lea, Flood 2014), so that a seed gives the same run everywhere.

package struct Random: Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// 0 ..< bound; the bound must be positive.
  package mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  package mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  /// True in so many of 1,000 cases.
  package mutating func chance(_ perMille: Int) -> Bool { below(1_000) < perMille }

  package mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// Another source whose numbers do not depend on how many are taken from this one later.
  package mutating func fork() -> Random { Random(seed: next()) }
}
