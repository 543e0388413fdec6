// A twin as it was: the image that a reader of the past, or of what is scheduled, gets.
//
// Promises: pure and complete: judges from the facts given and nothing else. Facts that a disk has damaged are
// refused, never trapped on. The store adds the facts that it keeps, page by page.

/// A fact as the store keeps it.
package struct StoredFact: Equatable, Sendable {
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

/// The twin at one valid time, as known at one recorded time, made of facts that come one after the other.
///
/// Which fact of an attribute counts at a time depends on the one that counted before it and on nothing else
/// (`Validity.replaces`), so one fact is kept for each attribute: memory grows with the twin, not with its history.
package struct AsOfFold: Sendable {
  private struct Winner: Sendable {
    let validity: Validity
    let message: [UInt8]
  }

  /// The last fact that was known, which says when and by whom the twin was changed.
  private struct Last {
    let fact: StoredFact
    /// It deleted the twin, at or before the time of interest.
    let isGone: Bool
  }

  private let validAt: Int64
  private let knownAt: Int64
  private let mask: AttributeMask
  /// By attribute; removals among them.
  private var winners: [[UInt8]: Winner] = [:]
  private var last: Last?
  private var count = 0
  private var isPastKnown = false
  /// Bytes that it takes in memory.
  package private(set) var byteCount = 0

  /// For each attribute beside its name and its fact: two headers of arrays and a place in the table.
  private static let overheadBytes = 128

  /// - Parameters:
  ///   - validAt: microseconds since the epoch. What was recorded before a deletion holds only before the time of the
  ///     deletion; what was recorded after it holds where it says.
  ///   - knownAt: facts recorded later are passed over.
  ///   - mask: other attributes are not kept.
  package init(validAt: Int64, knownAt: Int64 = .max, mask: AttributeMask = .all) {
    self.validAt = validAt
    self.knownAt = knownAt
    self.mask = mask
  }

  /// Adds the fact that was recorded next.
  ///
  /// - Throws: `RecordFault` with the number of the fact as its offset when it is damaged or out of order.
  package mutating func add(_ fact: StoredFact) throws(RecordFault) {
    // Recorded time does not go back from one fact to the next.
    if isPastKnown { return }
    let result = fact.message.withUnsafeBytes { bytes in
      Result { () throws(RecordFault) in try take(fact, bytes) }
    }
    try result.get()
    count += 1
  }

  private mutating func take(_ fact: StoredFact, _ bytes: UnsafeRawBufferPointer) throws(RecordFault) {
    func fault(_ reason: String) -> RecordFault { RecordFault(offset: count, reason: reason) }
    let record: AttributeRecord
    do {
      record = try AttributeRecord(checked: bytes, as: .fact)
    } catch {
      throw fault(error.reason)
    }
    if record.recordedAt > knownAt {
      isPastKnown = true
      return
    }
    if record.sequence != fact.sequence { throw fault("its record has the sequence \(record.sequence)") }
    if let before = last?.fact, (before.sequence, before.ordinal) >= (fact.sequence, fact.ordinal) {
      throw fault("the fact is out of order")
    }
    if record.agent.count > Limits.agentBytesMax { throw fault("its agent has \(record.agent.count) bytes") }
    let isGone = record.isDeletion && record.validFrom <= validAt
    last = Last(fact: fact, isGone: isGone)
    if isGone {
      winners = [:]
      byteCount = 0
    } else if !record.isDeletion, record.validity.holds(at: validAt), mask.covers(record.name) {
      keep(record, fact.message)
    }
  }

  private mutating func keep(_ record: AttributeRecord, _ message: [UInt8]) {
    let name = [UInt8](record.name)
    if let present = winners[name] {
      guard record.validity.replaces(present.validity) else { return }
      byteCount -= present.message.count
    } else {
      byteCount += name.count + Self.overheadBytes
    }
    winners[name] = Winner(validity: record.validity, message: message)
    byteCount += message.count
  }

  /// The attributes that counted, none pending; revision, recorded time and agent are those of the last fact that was
  /// known.
  ///
  /// - Returns: nil when there are no facts, or when the last one deleted the twin at or before `validAt`.
  /// - Throws: `RecordFault` when the past holds more than an image can.
  package func image(_ name: TwinName) throws(RecordFault) -> TwinImage? {
    guard let last, !last.isGone else { return nil }
    let names = winners.keys.sorted { left, right in
      left.withUnsafeBytes { left in right.withUnsafeBytes { compareBytes(left, $0) < 0 } }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(winners.values.reduce(0) { $0 + $1.message.count })
    var ends: [Int] = []
    for name in names {
      guard let winner = winners[name] else { continue }
      bytes.append(contentsOf: winner.message)
      ends.append(bytes.count)
    }
    let result = bytes.withUnsafeBytes { bytes in
      last.fact.message.withUnsafeBytes { last in
        Result { () throws(RecordFault) in
          try Self.image(name, bytes, ends, AttributeRecord(checked: last, as: .fact))
        }
      }
    }
    return try result.get()
  }

  private static func image(
    _ name: TwinName, _ bytes: UnsafeRawBufferPointer, _ ends: [Int], _ last: AttributeRecord
  ) throws(RecordFault) -> TwinImage {
    var present: [AttributeRecord] = []
    var start = 0
    for end in ends {
      let record = try AttributeRecord(checked: bytes.part(start, end - start), as: .fact)
      if !record.isRemoval { present.append(record) }
      start = end
    }
    let length = present.reduce(0) { $0 + 1 + varintSize($1.message.count) + $1.message.count }
    guard present.count <= UInt16.max, length <= UInt32.max else {
      throw RecordFault(offset: 0, reason: "the twin had \(present.count) attributes of \(length) bytes at that time")
    }
    var writer = TwinImage.Writer(
      TwinImage(
        name: name.bytes, agent: last.agent, revision: last.sequence, recordedAt: last.recordedAt, isDeleted: false,
        contents: TwinImage.Contents(entryCount: present.count, recordsLength: length)))
    for record in present { writer.frame(record) }
    return writer.finish()
  }
}

extension TwinImage {
  /// The twin at one valid time, judged by all of these facts, which are in the order of their recording.
  package static func asOf(
    _ name: TwinName, _ facts: [StoredFact], validAt: Int64
  ) throws(RecordFault) -> TwinImage? {
    var fold = AsOfFold(validAt: validAt)
    for fact in facts { try fold.add(fact) }
    return try fold.image(name)
  }
}
