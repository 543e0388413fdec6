// The image of a change: what one commit records about one twin, encoded once.
//
// Promises: what is made here is what apply takes, the journal and the facts table keep, and watches send.

extension TwinImage {
  /// `facts` are one twin's, in byte order of their attributes.
  package static func change(_ facts: ArraySlice<Fact>, named name: TwinName, as commit: Commit) -> TwinImage {
    var isDeleted = false
    if case .deletion? = facts.first?.change { isDeleted = true }
    let contents = Contents(entryCount: facts.count, recordsLength: facts.reduce(0) { $0 + $1.recordSize })
    var writer = Writer(
      TwinImage(
        name: name.bytes, agent: commit.agent.bytes, revision: commit.sequence, recordedAt: commit.recordedAt,
        isDeleted: isDeleted, contents: contents))
    for fact in facts { writer.encode(fact, of: commit) }
    writer.image.storage.header.firstOrdinal = UInt16(facts.first?.ordinal ?? 0)
    return writer.finish()
  }

  /// In the image of a change: the number of its first fact within the commit.
  package var firstOrdinal: Int { Int(storage.header.firstOrdinal) }

  /// In the image of a change: the twin did not exist before it. Known once it was applied.
  package var isCreation: Bool { storage.header.isCreation }

  /// Notes that the twin did not exist before a new change.
  package func markCreation() { storage.header.isCreation = true }

  /// The image of a change from the facts that the store keeps of it.
  ///
  /// - Parameter isCurrent: for each fact whether it held at the commit's time, after it.
  /// - Throws: `RecordFault` with the number of the fact as its offset when one cannot be what was stored.
  package static func change(
    _ name: TwinName, _ facts: [StoredFact], isCurrent: [Bool]
  ) throws(RecordFault) -> TwinImage {
    var bytes: [UInt8] = []
    for fact in facts { bytes.append(contentsOf: fact.message) }
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(RecordFault) in try change(name, facts, isCurrent, bytes) }
    }
    return try result.get()
  }

  private static func change(
    _ name: TwinName, _ facts: [StoredFact], _ isCurrent: [Bool], _ bytes: UnsafeRawBufferPointer
  ) throws(RecordFault) -> TwinImage {
    var records: [AttributeRecord] = []
    var offset = 0
    for (index, fact) in facts.enumerated() {
      do {
        records.append(try AttributeRecord(checked: bytes.part(offset, fact.message.count), as: .fact))
      } catch {
        throw RecordFault(offset: index, reason: error.reason)
      }
      offset += fact.message.count
      let isInOrder = index == 0 || compareBytes(records[index - 1].name, records[index].name) < 0
      guard isInOrder, records[index].sequence == records[0].sequence else {
        throw RecordFault(offset: index, reason: "the facts do not belong to one change")
      }
    }
    guard let first = records.first, first.agent.count <= Limits.agentBytesMax, records.count <= Limits.changesMax
    else {
      throw RecordFault(offset: 0, reason: "the \(facts.count) facts are not a valid change")
    }
    let length = records.reduce(0) { $0 + 1 + varintSize($1.message.count) + $1.message.count }
    var writer = Writer(
      TwinImage(
        name: name.bytes, agent: first.agent, revision: first.sequence, recordedAt: first.recordedAt,
        isDeleted: first.isDeletion, contents: Contents(entryCount: records.count, recordsLength: length)))
    for record in records { writer.frame(record) }
    let image = writer.finish()
    for (index, isCurrent) in isCurrent.enumerated() where !isCurrent { image.markNotCurrent(index) }
    image.storage.header.firstOrdinal = UInt16(truncatingIfNeeded: facts[0].ordinal)
    return image
  }
}
