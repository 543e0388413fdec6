// An image from what is on disk: its current and its pending records, each the concatenated `attributes` fields of a
// twind.v1.Twin.
//
// Promises: bytes that protobuf-c could not unpack, or that are out of order or over a limit, are refused with
// their place; nothing is trapped on.

extension TwinImage {
  /// Takes the parts as they were derived; `nextChangeTime` is found anew. A fault in `pending` has an offset counted
  /// from the first current record.
  package static func decode(
    name: TwinName, agent: UnsafeRawBufferPointer, revision: UInt64, recordedAt: Int64, isDeleted: Bool,
    records: UnsafeRawBufferPointer, pending: UnsafeRawBufferPointer
  ) throws(RecordFault) -> TwinImage {
    func fault(_ reason: String) -> RecordFault { RecordFault(offset: 0, reason: reason) }
    if agent.count > Limits.agentBytesMax { throw fault("the last agent has \(agent.count) bytes") }
    let length = records.count.addingReportingOverflow(pending.count)
    if length.overflow || length.partialValue > Limits.twinBytesMax {
      throw fault("the attributes have \(records.count) and \(pending.count) bytes")
    }
    if isDeleted && length.partialValue > 0 { throw fault("the twin is deleted and has attributes") }
    let current = try storedRecords(records, as: .current)
    let kept: [StoredRecord]
    do {
      kept = try storedRecords(pending, as: .pending)
    } catch {
      throw RecordFault(offset: records.count + error.offset, reason: error.reason)
    }
    // Time makes attributes of pending facts, and the other way around; it adds none.
    if current.count + kept.count > Limits.attributesPerTwinMax + Limits.pendingFactsPerTwinMax {
      throw fault("the twin has \(current.count) attributes and \(kept.count) pending facts")
    }
    let contents = Contents(
      entryCount: current.count, recordsLength: records.count, pendingCount: kept.count, pendingLength: pending.count)
    var writer = Writer(
      TwinImage(
        name: name.bytes, agent: agent, revision: revision, recordedAt: recordedAt, isDeleted: isDeleted,
        contents: contents))
    for record in current { writer.copy(record.bytes, record.entry) }
    for record in kept { writer.copy(record.bytes, record.entry) }
    return writer.finish(nextChangeTime: try nextChangeTime(current, kept, after: recordedAt))
  }

  private static func storedRecords(
    _ records: UnsafeRawBufferPointer, as role: StoredRecord.Role
  ) throws(RecordFault) -> [StoredRecord] {
    var reader = WireReader(records)
    var found: [StoredRecord] = []
    while !reader.isAtEnd {
      let start = reader.position
      let record = try StoredRecord(&reader, of: records, field: 3, as: role)
      if let before = found.last?.attribute {
        let order = compareBytes(before.name, record.attribute.name)
        let isBehind = order < 0 || (order == 0 && role == .pending && before.sequence < record.attribute.sequence)
        if !isBehind { throw RecordFault(offset: start, reason: "\(quoted(record.attribute.name)) is out of order") }
      }
      found.append(record)
    }
    return found
  }

  /// When time alone changes what counts.
  private static func nextChangeTime(
    _ current: [StoredRecord], _ pending: [StoredRecord], after recordedAt: Int64
  ) throws(RecordFault) -> Int64 {
    var next = Int64.max
    var (i, j) = (0, 0)
    while i < current.count || j < pending.count {
      var facts: [AttributeRecord] = []
      let name: UnsafeRawBufferPointer
      if j == pending.count
        || (i < current.count && compareBytes(current[i].attribute.name, pending[j].attribute.name) <= 0)
      {
        name = current[i].attribute.name
        facts.append(current[i].attribute)
        i += 1
      } else {
        name = pending[j].attribute.name
      }
      while j < pending.count, equalBytes(pending[j].attribute.name, name) {
        let place = facts.firstIndex { $0.sequence >= pending[j].attribute.sequence } ?? facts.count
        if place < facts.count && facts[place].sequence == pending[j].attribute.sequence {
          throw RecordFault(offset: 0, reason: "a fact of \(quoted(name)) is both current and pending")
        }
        facts.insert(pending[j].attribute, at: place)
        j += 1
      }
      if facts.count == 1 && facts[0].validTo == 0 && facts[0].validFrom <= recordedAt { continue }
      var timeline = Timeline()
      for fact in facts { timeline.append(fact.validity) }
      next = min(next, timeline.outlook(from: recordedAt).nextChangeTime)
    }
    return next
  }
}
