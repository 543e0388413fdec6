// The envelope scan against protobuf-c's own unpack: on any bytes both refuse, or both see the same request.

import CProtobufC
import CTTRPCProto
import Glibc
import TTRPC
import Testing

@Suite struct RequestEnvelopeTests {
  /// A request's five fields.
  struct Seen: Equatable {
    var service: [UInt8] = []
    var method: [UInt8] = []
    var payload: [UInt8] = []
    var timeoutNanos: Int64 = 0
    var metadata: [[[UInt8]]] = []

    /// What protobuf-c allows and the envelope does not: text that is not UTF-8 or holds a NUL, and metadata past its
    /// limits.
    var isRefusedBeyondTheFormat: Bool {
      let texts = [service, method] + metadata.flatMap { $0 }
      let isText = texts.allSatisfy { String(validating: $0, as: UTF8.self) != nil && !$0.contains(0) }
      let bytes = metadata.reduce(0) { $0 + $1[0].count + $1[1].count }
      return !isText || metadata.count > Limits.metadataPairsMax || bytes > Limits.metadataBytesMax
    }
  }

  private static func scan(_ bytes: [UInt8]) -> Result<Seen, RPCError> {
    bytes.withUnsafeBytes { buffer in
      do throws(RPCError) {
        let envelope = try RequestEnvelope(buffer)
        return .success(
          Seen(
            service: Array(envelope.service), method: Array(envelope.method), payload: Array(envelope.payload),
            timeoutNanos: envelope.timeoutNanos,
            metadata: envelope.metadata.all.map { [Array($0.key.utf8), Array($0.value.utf8)] }))
      } catch {
        return .failure(error)
      }
    }
  }

  /// protobuf-c cuts strings at a NUL for its readers, so a string field's length is taken from its packed form.
  private static func unpack(_ bytes: [UInt8]) -> Seen? {
    guard let message = ttrpc__request__unpack(nil, bytes.count, bytes) else { return nil }
    defer { ttrpc__request__free_unpacked(message, nil) }
    var seen = Seen()
    seen.service = text(message.pointee.service)
    seen.method = text(message.pointee.method)
    seen.payload = Array(
      UnsafeBufferPointer(start: message.pointee.payload.data, count: message.pointee.payload.len))
    seen.timeoutNanos = message.pointee.timeout_nano
    seen.metadata = (0..<message.pointee.n_metadata).map { index in
      let pair = message.pointee.metadata[index]!
      return [text(pair.pointee.key), text(pair.pointee.value)]
    }
    return seen
  }

  private static func text(_ pointer: UnsafeMutablePointer<CChar>) -> [UInt8] {
    Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map { UInt8(bitPattern: $0) })
  }

  /// True when the two agree; a NUL anywhere makes protobuf-c's strings incomparable, so then refusal is enough.
  private static func agree(_ bytes: [UInt8]) -> Bool {
    switch (scan(bytes), unpack(bytes)) {
    case (.success(let scanned), let unpacked?): scanned == unpacked
    case (.failure, nil): true
    case (.failure(let error), let unpacked?):
      [.invalidArgument, .resourceExhausted].contains(error.code)
        && (unpacked.isRefusedBeyondTheFormat || repeatsOrHidesText(bytes))
    case (.success, nil): false
    }
  }

  /// An ill-formed text may stand in a field that a later one overrides, and a NUL hides what follows it.
  private static func repeatsOrHidesText(_ bytes: [UInt8]) -> Bool {
    bytes.contains(0) || String(validating: bytes, as: UTF8.self) == nil
  }

  private static func request(_ random: inout SeededRandom) -> [UInt8] {
    var fields: [[UInt8]] = [
      Field.text(1, "ttrpc.interop.Echo"), Field.text(2, "Echo"),
      Field.bytes(3, random.bytes(Int.random(in: 0...40, using: &random))),
      Field.number(4, random.next() >> UInt64.random(in: 0..<64, using: &random)),
    ]
    for index in 0..<Int.random(in: 0...3, using: &random) {
      fields.append(Field.bytes(5, Field.text(1, "key\(index)") + Field.text(2, "värde \(index)")))
    }
    if Bool.random(using: &random) { fields.append(Field.number(99, 7)) }
    if Bool.random(using: &random) { fields.shuffle(using: &random) }
    return fields.flatMap { $0 }
  }

  @Test func mutatedRequestsAreSeenAsProtobufCSeesThem() {
    var random = SeededRandom(seed: 1)
    let requests = (0..<64).map { _ in Self.request(&random) }
    var accepted = 0
    for round in 0..<15_000 {
      let request = requests.randomElement(using: &random)!
      let bytes = round % 8 == 0 ? request : random.mutated(request)
      if !Self.agree(bytes) { Issue.record("round \(round): \(bytes)") }
      if case .success = Self.scan(bytes) { accepted += 1 }
    }
    // Neither a scan that refuses all nor a mutation that spoils all may pass for agreement.
    #expect((2_500...9_000).contains(accepted), "\(accepted) accepted")
  }

  @Test func randomBytesAreSeenAsProtobufCSeesThem() {
    var random = SeededRandom(seed: 2)
    // Tags of the five fields in every wire type, and bytes that matter to varints, make noise meaningful.
    let telling: [UInt8] =
      (1...6).flatMap { field in (0...7).map { UInt8(field << 3 | $0) } } + [0, 1, 0x7f, 0x80, 0xff]
    for round in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
        Int.random(in: 0..<3, using: &random) == 0
          ? UInt8(truncatingIfNeeded: random.next()) : telling.randomElement(using: &random)!
      }
      if !Self.agree(bytes) { Issue.record("round \(round): \(bytes)") }
    }
  }

  @Test func everyPrefixIsSeenAsProtobufCSeesIt() {
    var random = SeededRandom(seed: 3)
    let bytes = Self.request(&random)
    for count in 0...bytes.count { #expect(Self.agree(Array(bytes.prefix(count))), "\(count) bytes") }
  }

  /// Varints at the edges of their widths, where a length or a tag may wrap.
  @Test(
    arguments: [
      [0x0a, 0x85, 0x80, 0x80, 0x80, 0x10, 1, 2, 3, 4, 5],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07],
      [0x0a, 0x80, 0x80, 0x80, 0x80, 0x00], [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
      [0x8a, 0x80, 0x80, 0x80, 0x10, 0x01, 0x41], [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00],
      [0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x00, 0x01], [0x02, 0x00], [0x0b, 0x0c], [0x0e], [0x32, 0x00, 0x35, 1, 2, 3], [0x31, 1, 2, 3, 4, 5, 6, 7],
    ] as [[UInt8]])
  func edgesAreSeenAsProtobufCSeesThem(_ bytes: [UInt8]) {
    #expect(Self.agree(bytes), "\(Self.scan(bytes)) \(String(describing: Self.unpack(bytes)))")
  }

  @Test func metadataHasItsLimits() throws {
    func metadata(pairs: Int, valueBytes: Int) -> [UInt8] {
      (0..<pairs).flatMap { _ in
        Field.bytes(5, Field.text(1, "k") + Field.bytes(2, Array(repeating: 65, count: valueBytes)))
      }
    }
    #expect(try Self.scan(metadata(pairs: 16, valueBytes: 255)).get().metadata.count == 16)
    let tooMuch = [
      (metadata(pairs: 17, valueBytes: 0), RPCError.Limit("metadataPairsMax", maximum: 16, actual: 17)),
      (metadata(pairs: 16, valueBytes: 256), RPCError.Limit("metadataBytesMax", maximum: 4_096, actual: 16 * 257)),
    ]
    for (bytes, limit) in tooMuch {
      let error = try #require(throws: RPCError.self) { try Self.scan(bytes).get() }
      #expect(error.code == .resourceExhausted && error.limit == limit)
      #expect(error.message.contains(limit.name))
    }
  }

  @Test func metadataKeysAreKeptAndFoundInAnyCase() throws {
    let bytes =
      Field.bytes(5, Field.text(1, "Twind-Agent") + Field.text(2, "first"))
      + Field.bytes(5, Field.text(1, "twind-agent") + Field.text(2, "last")) + Field.bytes(5, [])
    try bytes.withUnsafeBytes { buffer in
      let metadata = try RequestEnvelope(buffer).metadata
      #expect(metadata["twind-agent"] == "last")
      #expect(metadata["twind-agen"] == nil)
      #expect(metadata.all.map(\.key) == ["Twind-Agent", "twind-agent", ""])
    }
  }
}
