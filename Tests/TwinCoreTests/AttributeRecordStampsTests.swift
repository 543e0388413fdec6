// The fields that commits stamp into facts: taken as protobuf-c writes them, kept, and refused when they are malformed.

import CTwindProto
import Testing

import TwinCore

@Suite struct AttributeRecordStampsTests {
  private func varint(_ number: UInt64, _ value: UInt64) -> [UInt8] { encoded(number << 3) + encoded(value) }

  private func bytes(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
    encoded(number << 3 | 2) + encoded(UInt64(content.count)) + content
  }

  private func text(_ number: UInt64, _ text: String) -> [UInt8] { bytes(number, Array(text.utf8)) }

  private func encoded(_ value: UInt64) -> [UInt8] {
    var (value, found): (UInt64, [UInt8]) = (value, [])
    while value >= 0x80 {
      found.append(UInt8(value & 0x7f) | 0x80)
      value >>= 7
    }
    return found + [UInt8(value)]
  }

  /// One good value of each field.
  private var samples: [UInt64: [UInt8]] {
    [
      12: varint(12, 3), 13: text(13, "crm"), 14: text(14, "é-1"), 15: varint(15, 4), 16: varint(16, 7),
      17: bytes(17, text(1, "event:1") + varint(2, 9)) + bytes(17, text(1, "event:2")), 18: text(18, "1.2.3"),
      19: text(19, "a") + text(19, "a"), 20: varint(20, 1), 21: varint(21, UInt64(bitPattern: -5)),
    ]
  }

  /// Name, value "v", recorded time and sequence of a fact.
  private var fact: [UInt8] { text(1, "mood") + bytes(2, text(1, "v")) + varint(3, 8) + varint(5, 8) + varint(9, 3) }

  private var all: [UInt8] { samples.keys.sorted().flatMap { samples[$0]! } }

  private func isAccepted(_ message: [UInt8]) -> Bool {
    message.withUnsafeBytes { (try? AttributeRecord($0)) != nil }
  }

  @Test func everyFieldOfTheMessageIsKnown() throws {
    var message = Twind__V1__Attribute()
    twind__v1__attribute__init(&message)
    let descriptor = message.base.descriptor.pointee
    let numbers = (0..<Int(descriptor.n_fields)).map { UInt64(descriptor.fields[$0].id) }
    #expect(numbers.filter { $0 >= AttributeRecord.firstStamp } == samples.keys.sorted())
    for number in samples.keys { #expect(isAccepted(fact + samples[number]!), "field \(number)") }
    #expect(isAccepted(fact + all))
    #expect(!isAccepted(fact + varint(numbers.max()! + 1, 1)))
  }

  @Test func whatProtobufCWritesIsTheSame() throws {
    let message = fact + all
    let unpacked = try #require(twind__v1__attribute__unpack(nil, message.count, message))
    defer { twind__v1__attribute__free_unpacked(unpacked, nil) }
    var packed = [UInt8](repeating: 0, count: twind__v1__attribute__get_packed_size(unpacked))
    #expect(twind__v1__attribute__pack(unpacked, &packed) == message.count)
    #expect(packed == message)
  }

  @Test func malformedFieldsAreRefused() {
    let long = String(repeating: "x", count: 201)
    let wrong: [[UInt8]] = [
      varint(12, 4), varint(15, 6), varint(16, 1 << 32), varint(20, 2), text(12, "x"), varint(13, 1), text(21, "x"),
      text(13, long), text(14, "a\n"), bytes(14, [0xff]), text(18, String(long.prefix(65))),
      text(19, String(long.prefix(129))), bytes(17, text(1, long)), bytes(17, varint(1, 1)), bytes(17, varint(3, 1)),
      bytes(17, [0xff]), bytes(17, varint(2, 1) + text(1, "a")),
      // Twice, and out of order.
      varint(12, 1) + varint(12, 1), text(18, "1") + text(18, "2"), varint(20, 1) + varint(16, 1),
      varint(12, 1) + text(1, "a"),
      (0..<17).flatMap { _ in text(19, "a") }, (0..<17).flatMap { _ in bytes(17, text(1, "a")) },
    ]
    for fields in wrong { #expect(!isAccepted(fact + fields), "\(fields)") }
    #expect(isAccepted(fact + (0..<16).flatMap { _ in text(19, "a") }))
  }

  /// From a commit's payload on, through the twin that it makes, to a fact with other times.
  @Test func theyStayWithTheFact() throws {
    let name = Array("acme/customer/1".utf8)
    let message = fact + all
    try name.withUnsafeBytes { bytes in
      let name = TwinName(unchecked: bytes)
      let stored = StoredFact(sequence: 3, ordinal: 0, message: message)
      let change = try TwinImage.change(name, [stored], isCurrent: [true])
      let image = apply(change, to: nil, forgets: false)
      #expect(image.attributeCount == 1)
      #expect([UInt8](image.attribute(image.entries[0]).message) == message)
      let later = try message.withUnsafeBytes { try AttributeRecord($0).rerecorded(at: 77) }
      try later.withUnsafeBytes { later in
        let record = try AttributeRecord(later)
        #expect((record.recordedAt, record.validFrom) == (77, 77))
        #expect([UInt8](record.stamps) == all)
      }
    }
  }
}
