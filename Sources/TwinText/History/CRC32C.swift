// CRC-32C (RFC 3720), the checksum of the lines of a history.

enum CRC32C {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let table = table
    var sum = ~UInt32(0)
    for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xff)] ^ (sum >> 8) }
    return ~sum
  }

  /// Eight hexadecimal digits.
  static func text(_ sum: UInt32) -> String {
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { sum, _ in sum & 1 == 1 ? 0x82f6_3b78 ^ (sum >> 1) : sum >> 1 }
  }
}
