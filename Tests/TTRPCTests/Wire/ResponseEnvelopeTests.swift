// The client's view of a response against protobuf-c's own unpack.

import CProtobufC
import CTTRPCProto
import TTRPC
import Testing

@Suite struct ResponseEnvelopeTests {
  struct Seen: Equatable {
    var code: Int32 = 0
    var message: [UInt8] = []
    var details = 0
    var payload: [UInt8] = []
  }

  private static func scan(_ bytes: [UInt8]) -> Seen? {
    bytes.withUnsafeBytes { buffer in
      guard let envelope = try? ResponseEnvelope(buffer) else { return nil }
      let error = envelope.error
      return Seen(
        code: error?.code.rawValue ?? 0, message: error.map { Array($0.message.utf8) } ?? [],
        details: error?.details.count ?? 0, payload: Array(envelope.payload))
    }
  }

  private static func unpack(_ bytes: [UInt8]) -> Seen? {
    guard let message = ttrpc__response__unpack(nil, bytes.count, bytes) else { return nil }
    defer { ttrpc__response__free_unpacked(message, nil) }
    var seen = Seen(
      payload: Array(UnsafeBufferPointer(start: message.pointee.payload.data, count: message.pointee.payload.len)))
    guard let status = message.pointee.status, status.pointee.code != 0 else { return seen }
    seen.code = StatusCode(rawValue: status.pointee.code)?.rawValue ?? StatusCode.unknown.rawValue
    seen.message = Array(String(cString: status.pointee.message).utf8)
    seen.details = status.pointee.n_details
    return seen
  }

  private static func admits(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { (try? AdmissionScan.check($0, Ttrpc__Response.descriptor)) != nil }
  }

  private static func response(_ random: inout SeededRandom) -> [UInt8] {
    let status =
      Field.number(1, UInt64.random(in: 0...17, using: &random)) + Field.text(2, "naïve “quotes”")
      + Field.bytes(3, Field.text(1, "type.googleapis.com/x") + Field.bytes(2, random.bytes(5)))
    let payload = Field.bytes(2, random.bytes(Int.random(in: 0...30, using: &random)))
    return Bool.random(using: &random) ? Field.bytes(1, status) + payload : payload
  }

  @Test func mutatedResponsesAreSeenAsProtobufCSeesThem() {
    var random = SeededRandom(seed: 4)
    let responses = (0..<64).map { _ in Self.response(&random) }
    var accepted = 0
    for round in 0..<15_000 {
      let response = responses.randomElement(using: &random)!
      let bytes = round % 8 == 0 ? response : random.mutated(response)
      let scanned = Self.scan(bytes)
      // What the admission scan refuses may be refused; all else must be seen alike.
      let expected = Self.unpack(bytes)
      if scanned != expected && (scanned != nil || Self.admits(bytes)) {
        Issue.record("round \(round): \(bytes): \(String(describing: scanned)), not \(String(describing: expected))")
      }
      if scanned != nil { accepted += 1 }
    }
    #expect((2_500...9_000).contains(accepted), "\(accepted) accepted")
  }

  @Test func successHasThreeForms() {
    // No bytes at all (Go), an empty status and a payload (Rust), a payload alone (ours).
    #expect(Self.scan([]) == Seen())
    #expect(Self.scan([0x0a, 0x00]) == Seen())
    #expect(Self.scan([0x0a, 0x00, 0x12, 0x01, 7]) == Seen(payload: [7]))
    #expect(Self.scan([0x12, 0x01, 7]) == Seen(payload: [7]))
  }

  @Test func aStatusStandsOnce() {
    let failure = Field.bytes(1, Field.number(1, 5))
    #expect(Self.scan(failure)?.code == 5)
    // protobuf-c would merge the two, and another reader take the last: it is no serialiser's output.
    #expect(Self.scan(failure + Field.bytes(1, [])) == nil)
  }
}
