// A twin as it was: the image that a reader of the past, or of what is scheduled, gets.
//
// Promises: pure and complete: judges from the facts given and nothing else. Facts that a disk has damaged are
// refused, never trapped on. The store calls it with the facts that it keeps.

/// A fact as the store keeps it.
package struct StoredFact: Sendable {
  package let sequence: UInt64
  /// Its number within the commit.
  package let ordinal: UInt32
  /// The encoded twind.v1.Attribute, without tag and length. Without a value it is a removal, without a name the
  /// twin's deletion.
  package let message: [UInt8]

  package init(sequence: UInt64, ordinal: UInt32, message: [UInt8]) {
    self.sequence = sequence
    self.ordinal = ordinal
    self.message = message
  }
}

extension TwinImage {
  /// The twin at one valid time, judged by these facts.
  ///
  /// - Parameters:
  ///   - facts: all facts about the twin that were known at the time of interest, in the order of their recording.
  ///   - validAt: microseconds since the epoch. What was recorded before a deletion holds only before the time of the
  ///     deletion; what was recorded after it holds where it says.
  /// - Returns: the attributes that counted, none pending; revision, recorded time and agent are those of the last
  ///   fact. Nil when there are no facts, or when the last one deleted the twin at or before `validAt`.
  /// - Throws: `RecordFault` with the number of the fact as its offset when one is damaged or out of order, or when
  ///   the past holds more than an image can.
  package static func asOf(
    _ name: TwinName, _ facts: [StoredFact], validAt: Int64
  ) throws(RecordFault) -> TwinImage? {
    guard let last = facts.last else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(facts.reduce(0) { $0 + $1.message.count })
    for fact in facts { bytes.append(contentsOf: fact.message) }
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(RecordFault) in try asOf(name, facts, bytes, last, validAt) }
    }
    return try result.get()
  }

  private static func asOf(
    _ name: TwinName, _ facts: [StoredFact], _ bytes: UnsafeRawBufferPointer, _ last: StoredFact, _ validAt: Int64
  ) throws(RecordFault) -> TwinImage? {
    // What may still count, in the order of recording.
    var holding: [AttributeRecord] = []
    var end: AttributeRecord?
    var offset = 0
    for (index, fact) in facts.enumerated() {
      func fault(_ reason: String) -> RecordFault { RecordFault(offset: index, reason: reason) }
      let record: AttributeRecord
      do {
        record = try AttributeRecord(checked: bytes.part(offset, fact.message.count), as: .fact)
      } catch {
        throw fault(error.reason)
      }
      offset += fact.message.count
      if record.sequence != fact.sequence { throw fault("the fact says that its sequence is \(record.sequence)") }
      if index > 0 && (facts[index - 1].sequence, facts[index - 1].ordinal) >= (fact.sequence, fact.ordinal) {
        throw fault("the fact is out of order")
      }
      if record.isDeletion {
        if record.validFrom <= validAt { holding.removeAll(keepingCapacity: true) }
      } else if record.validity.holds(at: validAt) {
        holding.append(record)
      }
      end = record
    }
    guard let end, !(end.isDeletion && end.validFrom <= validAt) else { return nil }
    return try image(name, winners(holding), revision: last.sequence, end)
  }

  /// For each attribute that has a value the fact that counts, in byte order of the names.
  private static func winners(_ holding: [AttributeRecord]) -> [AttributeRecord] {
    let order = holding.indices.sorted { left, right in
      let order = compareBytes(holding[left].name, holding[right].name)
      return order == 0 ? left < right : order < 0
    }
    var winners: [AttributeRecord] = []
    for index in order {
      let fact = holding[index]
      guard let present = winners.last, equalBytes(present.name, fact.name) else {
        winners.append(fact)
        continue
      }
      if fact.validity.replaces(present.validity) { winners[winners.count - 1] = fact }
    }
    return winners.filter { !$0.isRemoval }
  }

  private static func image(
    _ name: TwinName, _ winners: [AttributeRecord], revision: UInt64, _ last: AttributeRecord
  ) throws(RecordFault) -> TwinImage {
    let length = winners.reduce(0) { $0 + 1 + varintSize($1.message.count) + $1.message.count }
    guard winners.count <= UInt16.max, length <= UInt32.max, last.agent.count <= Limits.agentBytesMax else {
      throw RecordFault(offset: 0, reason: "the twin had \(winners.count) attributes of \(length) bytes at that time")
    }
    var writer = Writer(
      TwinImage(
        name: name.bytes, agent: last.agent, revision: revision, recordedAt: last.recordedAt, isDeleted: false,
        contents: Contents(entryCount: winners.count, recordsLength: length)))
    for winner in winners { writer.frame(winner) }
    return writer.finish()
  }
}
