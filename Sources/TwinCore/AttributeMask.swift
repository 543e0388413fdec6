// Which attributes a reader wants. A name covers itself and all names below it: "address" covers
// "address.city". No names at all cover everything.
//
// Promises: owns its bytes, so that a watch may keep it; a lookup is one binary search over bytes.

package struct AttributeMask: Sendable {
  /// Covers everything.
  package static let all = AttributeMask()

  /// The names one behind the other, in byte order, none below another one.
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  package init() {}

  /// The `attributes` of a request, as protobuf-c unpacked them.
  package init(
    _ names: UnsafePointer<UnsafeMutablePointer<CChar>?>?, count: Int
  ) throws(TwinError) {
    guard count > 0, let names else { return }
    if count > Limits.maskNamesMax {
      throw .limit(
        .invalidArgument, "the list of attributes", "maskNamesMax", maximum: Limits.maskNamesMax, actual: count,
        unit: "names")
    }
    var sorted: [Text] = []
    sorted.reserveCapacity(count)
    for index in 0..<count {
      let name = Text(names[index])
      try checkAttributeName(name.bytes)
      sorted.append(name)
    }
    sorted.sort { compareBytes($0.bytes, $1.bytes) < 0 }
    for name in sorted where ends.isEmpty || !covers(name.bytes) {
      bytes.append(contentsOf: name.bytes)
      ends.append(bytes.count)
    }
  }

  package var isAll: Bool { ends.isEmpty }

  /// Whether the attribute is wanted. "." sorts before all else a name may hold and no mask name is below
  /// another, so only the last mask name that is not after `name` can cover it.
  package func covers(_ name: UnsafeRawBufferPointer) -> Bool {
    if ends.isEmpty { return true }
    return bytes.withUnsafeBytes { all in
      var low = 0
      var high = ends.count
      while low < high {
        let middle = (low + high) / 2
        if compareBytes(part(middle, of: all), name) <= 0 { low = middle + 1 } else { high = middle }
      }
      guard low > 0 else { return false }
      let candidate = part(low - 1, of: all)
      return name.starts(with: candidate)
        && (name.count == candidate.count || name[candidate.count] == UInt8(ascii: "."))
    }
  }

  private func part(_ index: Int, of all: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let start = index == 0 ? 0 : ends[index - 1]
    return all.part(start, ends[index] - start)
  }
}
