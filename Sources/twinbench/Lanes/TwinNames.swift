// The names of a benchmark's twins, all equally long.

enum TwinNames {
  static let digits = 8

  /// `twinbench/customer/00000042`
  static func name(_ space: String, _ number: Int) -> String {
    let text = String(number)
    return "\(space)/customer/" + String(repeating: "0", count: digits - text.utf8.count) + text
  }

  /// Eight digits.
  static func write(_ number: Int, to bytes: UnsafeMutableRawPointer) {
    var rest = UInt32(truncatingIfNeeded: number)
    for digit in (0..<digits).reversed() {
      bytes.storeBytes(of: UInt8(0x30 + rest % 10), toByteOffset: digit, as: UInt8.self)
      rest /= 10
    }
  }
}
