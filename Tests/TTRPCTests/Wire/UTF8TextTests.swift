// UTF-8 without NUL, against the standard library on every class of sequence and on random bytes.

import TTRPC
import Testing

@Suite struct UTF8TextTests {
  private static func isValid(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { UTF8Text.isValid($0) } }

  @Test(arguments: [0, 7])
  func theEdgesOfEveryClassOfSequence(_ padding: Int) {
    // Padding moves the sequence over the edges of the scan's eight-byte words.
    let before = [UInt8](repeating: 0x61, count: padding)
    let edges: [UInt8] = [0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xff]
    for first: UInt8 in 0...255 {
      for second in edges {
        check(before + [first, second])
        guard first >= 0xe0 else { continue }
        for third: UInt8 in [0x7f, 0x80, 0xbf, 0xc0] {
          check(before + [first, second, third])
          for fourth: UInt8 in [0x7f, 0x80, 0xbf, 0xc0] { check(before + [first, second, third, fourth, 0x61]) }
        }
      }
    }
  }

  private func check(_ bytes: [UInt8]) {
    let expected = String(validating: bytes, as: UTF8.self) != nil && !bytes.contains(0)
    if Self.isValid(bytes) != expected { Issue.record("\(bytes) is\(expected ? "" : " not") text") }
  }

  @Test(
    arguments: [
      ("a lone continuation", [0x80]), ("an overlong slash", [0xc0, 0xaf]),
      ("an overlong of three", [0xe0, 0x80, 0xaf]),
      ("an overlong of four", [0xf0, 0x80, 0x80, 0xaf]), ("a surrogate", [0xed, 0xa0, 0x80]),
      ("past U+10FFFF", [0xf4, 0x90, 0x80, 0x80]), ("five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]),
      ("cut short", [0xe2, 0x82]), ("0xff", [0xff]), ("NUL", [0x00]),
      ("NUL behind eight", [97, 97, 97, 97, 97, 97, 97, 97, 0]),
    ] as [(String, [UInt8])])
  func illFormed(_ name: String, _ bytes: [UInt8]) { #expect(!Self.isValid(bytes), "\(name)") }

  @Test func wellFormed() {
    for text in ["", "plain", "Grüße, 東京 🗼", "e\u{301}", "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}"] {
      #expect(Self.isValid(Array(text.utf8)))
    }
  }
}
