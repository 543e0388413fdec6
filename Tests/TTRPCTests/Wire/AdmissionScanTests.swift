// What hostile payloads are refused for, on a message type that contains itself in every way.

import CInteropProto
import CTTRPCProto
import InteropRoutes
import TTRPC
import Testing

@Suite struct AdmissionScanTests {
  /// The refusal's message; nil when the bytes are admitted.
  private static func refusal(_ bytes: [UInt8], _ descriptor: Descriptor = Ttrpc__Interop__Nesting.descriptor)
    -> String?
  {
    bytes.withUnsafeBytes { buffer in
      do throws(RPCError) {
        try AdmissionScan.check(buffer, descriptor)
        return nil
      } catch {
        return error.code == .invalidArgument ? error.message : "wrong code \(error.code)"
      }
    }
  }

  /// A message inside a message, this many in all.
  private static func nested(_ depth: Int, field: UInt64 = 1) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 1..<depth { bytes = Field.bytes(field, bytes) }
    return bytes
  }

  @Test(arguments: [1, 3, 5] as [UInt64])
  func depthHasALimit(_ field: UInt64) {
    #expect(Self.refusal(Self.nested(16, field: field)) == nil)
    #expect(Self.refusal(Self.nested(17, field: field))?.contains("nested too deep") == true)
    // protobuf-c alone would overflow its stack on this one.
    #expect(Self.refusal(Self.nested(1000, field: field))?.contains("nested too deep") == true)
  }

  @Test func unknownFieldsHaveALimitThatGrowsWithTheBytes() {
    func flood(_ count: Int) -> [UInt8] { (0..<count).flatMap { _ in [UInt8(0x48), 0] } }
    // 64 and one for each eight bytes: n ≤ 64 + n / 4 up to 85 fields of two bytes.
    #expect(Self.refusal(flood(85)) == nil)
    #expect(Self.refusal(flood(86))?.contains("too many unknown fields") == true)
    let inside = Field.bytes(1, flood(87))
    #expect(Self.refusal(inside)?.contains("too many unknown fields") == true)
  }

  @Test func aSingularSubMessageStandsOnce() {
    #expect(Self.refusal(Field.bytes(1, []) + Field.bytes(1, []))?.contains("field inner") == true)
    #expect(Self.refusal(Field.bytes(3, []) + Field.bytes(3, []))?.contains("appears twice") == true)
    // Another member of the oneof between them, and other fields, change nothing.
    let mixed = Field.bytes(3, []) + Field.text(4, "x") + Field.bytes(5, []) + Field.bytes(3, [])
    #expect(Self.refusal(mixed)?.contains("field chosen") == true)
    #expect(Self.refusal(Field.bytes(5, mixed))?.contains("field chosen") == true)
    // Repeated ones may, each with one of its own.
    let many = Field.bytes(5, Field.bytes(1, [])) + Field.bytes(5, Field.bytes(1, []))
    #expect(Self.refusal(many) == nil)
  }

  @Test(arguments: [2, 4, 7] as [UInt64])
  func textIsUTF8WithoutNUL(_ field: UInt64) {
    #expect(Self.refusal(Field.text(field, "Grüße 🗼")) == nil)
    for bytes: [UInt8] in [[0], [97, 0, 97], [0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]] {
      #expect(Self.refusal(Field.bytes(field, bytes))?.contains("is not UTF-8 without NUL") == true, "\(bytes)")
      #expect(Self.refusal(Field.bytes(1, Field.bytes(field, bytes))) != nil, "\(bytes)")
    }
    #expect(Self.refusal(Field.bytes(8, [0, 0xff])) == nil, "bytes may hold anything")
  }

  @Test func unknownFieldsPassAndTruncatedOnesDoNot() {
    let unknown = Field.text(99, "\0") + Field.number(100, 7) + [0x9d, 0x06, 1, 2, 3, 4]
    #expect(Self.refusal(unknown) == nil)
    for count in 1..<unknown.count where count != 4 && count != 7 {
      #expect(Self.refusal(Array(unknown.prefix(count)))?.contains("is malformed") == true, "\(count) bytes")
    }
  }

  @Test func aWrongWireTypeIsNamed() {
    #expect(Self.refusal(Field.number(2, 1))?.contains("field text of ttrpc.interop.Nesting is malformed") == true)
    #expect(Self.refusal(Field.number(1, 1))?.contains("field inner of ttrpc.interop.Nesting is malformed") == true)
  }

  @Test func fieldsMayComeInAnyOrder() {
    let status = Field.number(1, 5) + Field.text(2, "m") + Field.bytes(3, Field.text(1, "t"))
    let bytes = Field.bytes(2, [0xff]) + Field.bytes(1, status)
    #expect(Self.refusal(bytes, Ttrpc__Response.descriptor) == nil)
    #expect(Self.refusal(bytes + bytes, Ttrpc__Response.descriptor)?.contains("field status") == true)
  }

  @Test func whatAnySerialiserWritesPasses() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<100 { #expect(Self.refusal(Self.message(&random, depth: 1)) == nil) }
  }

  private static func message(_ random: inout SeededRandom, depth: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    if depth < 5 && Bool.random(using: &random) { bytes += Field.bytes(1, message(&random, depth: depth + 1)) }
    bytes += Field.text(2, "text")
    if depth < 5 && Bool.random(using: &random) { bytes += Field.bytes(3, message(&random, depth: depth + 1)) }
    for _ in 0..<Int.random(in: 0...2, using: &random) where depth < 5 {
      bytes += Field.bytes(5, message(&random, depth: depth + 1))
    }
    return bytes + Field.bytes(6, [1, 2, 0x80, 1]) + Field.bytes(8, random.bytes(9))
  }
}
