// What was asked of a disk: a digest of all of it, to compare two runs, and the newest lines, to understand one.

package struct OperationLog: Sendable {
  /// FNV-1a, 64 bits, over every line and every byte written, eight bytes a step.
  package private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
  /// Oldest first.
  package private(set) var lines: [String] = []
  /// Nil = all.
  private let linesMax: Int?

  init(linesMax: Int?) { self.linesMax = linesMax }

  mutating func note(_ line: String) {
    var line = line
    line.withUTF8 { mix(UnsafeRawBufferPointer($0)) }
    if linesMax == 0 { return }
    lines.append(line)
    if let linesMax, lines.count >= 2 * linesMax { lines.removeFirst(lines.count - linesMax) }
  }

  mutating func mix(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + 8 <= bytes.count {
      mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    for byte in bytes[offset...] { mix(UInt64(byte)) }
  }

  private mutating func mix(_ word: UInt64) {
    digest = (digest ^ word) &* 0x100_0000_01b3
    digest ^= digest >> 29
  }
}
