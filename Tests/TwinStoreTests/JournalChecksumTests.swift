import CLinux
import Testing

@Suite struct JournalChecksumTests {
  private typealias Checksum = (UInt32, UnsafeRawPointer?, Int) -> UInt32

  private var both: [Checksum] {
    twind_crc32c_has_instruction() != 0
      ? [twind_crc32c_by_table, twind_crc32c_by_instruction] : [twind_crc32c_by_table]
  }

  /// RFC 3720, appendix B.4, and the usual check value.
  @Test func knownVectors() {
    let vectors: [([UInt8], UInt32)] = [
      (Array("123456789".utf8), 0xe306_9283),
      (Array(repeating: 0, count: 32), 0x8a91_36aa),
      (Array(repeating: 0xff, count: 32), 0x62a8_ab43),
      (Array(0..<32), 0x46dd_794e),
      (Array((0..<32).reversed()), 0x113f_db5c),
      ([], 0),
    ]
    for (bytes, expected) in vectors {
      for checksum in both { #expect(bytes.withUnsafeBytes { checksum(0, $0.baseAddress, $0.count) } == expected) }
      #expect(bytes.withUnsafeBytes { twind_crc32c(0, $0.baseAddress, $0.count) } == expected)
    }
  }

  @Test func instructionAndTableAgreeAndContinue() {
    var random = SystemRandomNumberGenerator()
    for count in [1, 7, 8, 9, 63, 64, 65, 1_000] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let seed = UInt32.random(in: 0...UInt32.max, using: &random)
      bytes.withUnsafeBytes { all in
        let whole = twind_crc32c_by_table(seed, all.baseAddress, count)
        for checksum in both {
          for cut in [0, 1, count / 2, count] {
            let first = checksum(seed, all.baseAddress, cut)
            #expect(checksum(first, all.baseAddress! + cut, count - cut) == whole)
          }
          // An address that is not a multiple of 8.
          #expect(
            checksum(0, all.baseAddress! + 1, count - 1) == twind_crc32c_by_table(0, all.baseAddress! + 1, count - 1))
        }
      }
    }
  }
}
