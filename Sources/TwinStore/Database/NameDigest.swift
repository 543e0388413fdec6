// The names of a set of twins and the rows that they lead to, as one number that does not depend on their order.

struct NameDigest: Equatable {
  private var count = 0
  private var sum: UInt64 = 0

  mutating func add(_ id: Int64, _ name: UnsafeRawBufferPointer) {
    count += 1
    // A name is tied to its row: two rows that change places show.
    let mixed = (filterHash(name) ^ UInt64(bitPattern: id)) &* 0x9e37_79b9_7f4a_7c15
    sum = sum &+ (mixed ^ mixed >> 32)
  }
}
