// How many idempotency keys each agent has, in a fixed number of bytes however many agents there are.
//
// A count-min sketch (Cormode and Muthukrishnan, 2005) of two rows: never below the true number, and above it only when
// both of an agent's places are shared with others. With n agents that have all the keys that they may, another one is
// taken for such an agent with a chance of (n / width)²; the width is 32,768 from 8 MiB of memory on. The hash is secret, so
// that nobody can choose a name that meets another's. Not synchronised: the commit section's lock guards it.

struct AgentCounts {
  private static let widthMax = 32_768

  /// Where an agent's keys are counted.
  struct Place: Hashable, Sendable {
    fileprivate let first: UInt32
    fileprivate let second: UInt32

    init(of agent: UnsafeRawBufferPointer) {
      // Differs from process to process, and nobody can foresee it.
      var hasher = Hasher()
      hasher.combine(bytes: agent)
      let hash = UInt64(bitPattern: Int64(hasher.finalize()))
      first = UInt32(truncatingIfNeeded: hash)
      second = UInt32(truncatingIfNeeded: hash >> 32)
    }
  }

  /// A power of two.
  private let width: Int
  private var first: [UInt32]
  private var second: [UInt32]

  init(bytesMax: Int) {
    var width = Self.widthMax
    while width > 1 && width * 8 > bytesMax { width /= 2 }
    self.width = width
    first = [UInt32](repeating: 0, count: width)
    second = first
  }

  private func index(_ hash: UInt32) -> Int { Int(hash) & (width - 1) }

  subscript(_ place: Place) -> Int { Int(min(first[index(place.first)], second[index(place.second)])) }

  mutating func add(_ place: Place) {
    Self.change(&first[index(place.first)]) { $0.addingReportingOverflow(1) }
    Self.change(&second[index(place.second)]) { $0.addingReportingOverflow(1) }
  }

  mutating func remove(_ place: Place) {
    Self.change(&first[index(place.first)]) { $0.subtractingReportingOverflow(1) }
    Self.change(&second[index(place.second)]) { $0.subtractingReportingOverflow(1) }
  }

  /// A count that would leave its 32 bits stays.
  private static func change(_ count: inout UInt32, _ step: (UInt32) -> (partialValue: UInt32, overflow: Bool)) {
    let (next, overflow) = step(count)
    if !overflow { count = next }
  }
}
