// HdrHistogram's V2 encoding, in a zlib stream as its logs carry it.

import Histogram

enum HistogramEncoding {
  private static let encodedCookie: UInt32 = 0x1c84_9303 | 0x10
  private static let compressedCookie: UInt32 = 0x1c84_9304 | 0x10

  static func compressed(_ latencies: Latencies) -> [UInt8] {
    let stream = zlib(encoded(latencies))
    return bigEndian(compressedCookie) + bigEndian(UInt32(stream.count)) + stream
  }

  static func encoded(_ latencies: Latencies) -> [UInt8] {
    let counts = counts(latencies)
    // Values are not normalised (0), and integers are values (1).
    return bigEndian(encodedCookie) + bigEndian(UInt32(counts.count)) + bigEndian(UInt32(0))
      + bigEndian(UInt32(latencies.numberOfSignificantValueDigits.rawValue))
      + bigEndian(latencies.lowestDiscernibleValue) + bigEndian(latencies.highestTrackableValue)
      + bigEndian(Double(1).bitPattern) + counts
  }

  /// ZigZag LEB128: a count, or below 0 how many zeros follow each other. Zeros at the end are left out.
  private static func counts(_ latencies: Latencies) -> [UInt8] {
    var bytes: [UInt8] = []
    var next = 0
    for step in latencies.recordedValues() {
      let index = Self.index(of: step.value)
      let zeros = index - next
      if zeros == 1 { append(0, to: &bytes) } else if zeros > 1 { append(-Int64(zeros), to: &bytes) }
      append(Int64(step.count), to: &bytes)
      next = index + 1
    }
    return bytes
  }

  /// Where a value is counted, for three digits from 1: 2,048 in the first bucket, 1,024 in each that follows.
  private static func index(of value: UInt64) -> Int {
    let bucket = max(0, 53 - value.leadingZeroBitCount)
    return (bucket << 10) + Int(value >> UInt64(bucket))
  }

  private static func append(_ number: Int64, to bytes: inout [UInt8]) {
    var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
    // The ninth byte holds eight bits.
    for _ in 0..<8 where rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Stored blocks: a stream that every inflater reads, without a compressor.
  private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    var at = 0
    repeat {
      let count = min(65_535, bytes.count - at)
      let length = UInt16(count)
      let isLast = at + count == bytes.count
      stream += [isLast ? 1 : 0, UInt8(length & 0xff), UInt8(length >> 8), UInt8(~length & 0xff), UInt8(~length >> 8)]
      stream += bytes[at..<at + count]
      at += count
    } while at < bytes.count
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in bytes {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    return stream + bigEndian(high << 16 | low)
  }

  private static func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) }
  }
}
