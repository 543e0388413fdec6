// An image from what is on disk: the concatenated `attributes` fields of a twind.v1.Twin.
//
// Promises: bytes that protobuf-c could not unpack, or that are out of order or over a limit, are refused with
// their place; nothing is trapped on.

/// What is wrong with stored records, and where.
package struct RecordFault: Error, Equatable {
  package let offset: Int
  package let reason: String
}

extension TwinImage {
  package static func decode(
    name: TwinName, agent: UnsafeRawBufferPointer, revision: UInt64, recordedAt: Int64, isDeleted: Bool,
    records: UnsafeRawBufferPointer
  ) throws(RecordFault) -> TwinImage {
    if agent.count > Limits.agentBytesMax {
      throw RecordFault(offset: 0, reason: "the last agent has \(agent.count) bytes")
    }
    if records.count > Limits.twinBytesMax {
      throw RecordFault(offset: 0, reason: "the attributes have \(records.count) bytes")
    }
    if isDeleted && !records.isEmpty {
      throw RecordFault(offset: 0, reason: "the twin is deleted and has attributes")
    }
    var count = 0
    try forEachRecord(records) { _ in count += 1 }
    if count > Limits.attributesPerTwinMax {
      throw RecordFault(offset: 0, reason: "the twin has \(count) attributes")
    }
    var writer = Writer(
      TwinImage(
        name: name.bytes, agent: agent, revision: revision, recordedAt: recordedAt, isDeleted: isDeleted,
        entryCount: count, recordsLength: records.count))
    try forEachRecord(records) { record in
      writer.place.copyMemory(from: record.bytes.baseAddress!, byteCount: record.bytes.count)
      writer.note(
        length: record.bytes.count, nameStart: record.nameStart, nameLength: record.nameLength,
        classBits: Permit.ordinaryClass)
    }
    return writer.finish()
  }

  private struct StoredRecord {
    let bytes: UnsafeRawBufferPointer
    let nameStart: Int
    let nameLength: Int
  }

  private static func forEachRecord(
    _ records: UnsafeRawBufferPointer, _ body: (StoredRecord) -> Void
  ) throws(RecordFault) {
    var reader = WireReader(records)
    var before = UnsafeRawBufferPointer(start: nil, count: 0)
    while !reader.isAtEnd {
      let start = reader.position
      func fault(_ reason: String) -> RecordFault { RecordFault(offset: start, reason: reason) }
      guard let field = reader.field(), field.number == 3, case .bytes(let message) = field.content,
        let attribute = try? AttributeRecord(message)
      else { throw fault("this is no attribute") }
      do { try checkAttributeName(attribute.name) } catch { throw fault(error.message) }
      if attribute.name.baseAddress != message.baseAddress.map({ $0 + 2 }) {
        throw fault("the attribute does not begin with its name")
      }
      if compareBytes(before, attribute.name) >= 0 { throw fault("\(quoted(attribute.name)) is out of order") }
      if EncodedKind(attribute.value) == nil { throw fault("\(quoted(attribute.name)) has no readable value") }
      if !isUTF8(attribute.agent) || !isUTF8(attribute.evidence) || !isUTF8(attribute.purpose) {
        throw fault("the provenance of \(quoted(attribute.name)) is not UTF-8")
      }
      before = attribute.name
      let record = records.part(start, reader.position - start)
      body(
        StoredRecord(
          bytes: record, nameStart: record.count - message.count + 2, nameLength: attribute.name.count))
    }
  }
}
