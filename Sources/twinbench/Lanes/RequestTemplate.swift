// A request whose bytes are made once; only the twin's number and the new value's digits change from call to call.

/// One thread uses it.
final class RequestTemplate {
  /// Stands for the digits of a twin's number.
  static let keyMark = String(repeating: "#", count: TwinNames.digits)
  /// Stands for the digits that make a value new.
  static let valueMark = String(repeating: "$", count: 16)

  let bytes: UnsafeMutableRawBufferPointer
  let isStream: Bool
  private let keyOffsets: [Int]
  private let valueOffsets: [Int]
  private var written: UInt64

  /// - Parameter bytes: a whole request with the marks.
  init(_ bytes: [UInt8], isStream: Bool = false) {
    self.bytes = .allocate(byteCount: bytes.count, alignment: 8)
    self.bytes.copyBytes(from: bytes)
    self.isStream = isStream
    keyOffsets = Self.offsets(of: Array(Self.keyMark.utf8), in: bytes)
    valueOffsets = Self.offsets(of: Array(Self.valueMark.utf8), in: bytes)
    // Threads write different values: a value that is there already would be no write.
    written = UInt64.random(in: 0 ... .max / 2)
  }

  deinit { bytes.deallocate() }

  /// Several keys are those that follow the first.
  /// - Parameter stamp: the new value's digits; nil = any that were not there before.
  func fill(key: Int, of count: Int, stamp: UInt64? = nil) {
    for (index, offset) in keyOffsets.enumerated() {
      TwinNames.write(key + index < count ? key + index : (key + index) % count, to: bytes.baseAddress! + offset)
    }
    guard !valueOffsets.isEmpty else { return }
    written += 1
    for offset in valueOffsets { HexDigits.write(stamp ?? written, to: bytes.baseAddress! + offset) }
  }

  private static func offsets(of mark: [UInt8], in bytes: [UInt8]) -> [Int] {
    var offsets: [Int] = []
    var at = 0
    while at + mark.count <= bytes.count {
      if bytes[at] == mark[0] && bytes[at..<at + mark.count].elementsEqual(mark) {
        offsets.append(at)
        at += mark.count
      } else {
        at += 1
      }
    }
    return offsets
  }
}

enum HexDigits {
  /// Sixteen digits.
  static func write(_ number: UInt64, to bytes: UnsafeMutableRawPointer) {
    for digit in 0..<16 {
      let value = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * digit) & 0xf)
      bytes.storeBytes(of: value < 10 ? 0x30 + value : 0x57 + value, toByteOffset: digit, as: UInt8.self)
    }
  }
}
