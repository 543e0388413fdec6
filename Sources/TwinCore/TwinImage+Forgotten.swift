// Removals that an image no longer has.
//
// A removal that holds from now on for good keeps out older facts about its attribute that come late, and nothing else: a
// twin that has lost thousands of attributes would keep thousands of them. Beyond `pendingFactsPerTwinMax` the oldest
// are forgotten: only the facts have them, and the image says up to which time that may be so. When an older open fact
// comes about an attribute of which the image has none, the removal is looked up among the facts first, and `apply` is
// given it.
//
// In a database of format 2 the time stands in front of the pending records, as the record of an attribute without a name
// that holds from then on. Since format 3 it is a number of the twin's row.

extension TwinImage {
  /// Attributes of a change, or of a command, whose removal may be forgotten and would matter.
  package func forgottenNames(_ candidates: [(name: UnsafeRawBufferPointer, validity: (from: Int64, to: Int64))])
    -> [[UInt8]]
  {
    if forgottenThrough == .min { return [] }
    return candidates.compactMap { name, validity in
      validity.to == 0 && validity.from < forgottenThrough && !hasOpenFact(name) ? [UInt8](name) : nil
    }
  }

  /// The same, of the image of a change.
  package func forgottenNames(in change: TwinImage) -> [[UInt8]] {
    if forgottenThrough == .min || change.isDeleted { return [] }
    return forgottenNames(
      change.entries.map { entry in
        let record = change.attribute(entry)
        return (record.name, (record.validFrom, record.validTo))
      })
  }

  /// What is forgotten of an attribute is older than an open fact that is here.
  private func hasOpenFact(_ name: UnsafeRawBufferPointer) -> Bool { facts(of: name).contains { $0.validTo == 0 } }

  /// Removals that were looked up, as the pending records of an image; nil = there are none.
  ///
  /// - Parameter messages: encoded attributes, in byte order of their names, each once.
  package static func recalled(_ name: TwinName, _ messages: [[UInt8]]) -> TwinImage? {
    if messages.isEmpty { return nil }
    var pending: [UInt8] = []
    for message in messages {
      pending.append(Fact.recordTag)
      pending.appendVarint(UInt64(message.count))
      pending += message
    }
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    return pending.withUnsafeBytes { pending in
      do throws(RecordFault) {
        return try decode(
          name: name, agent: nothing, revision: 1, recordedAt: 0, isDeleted: false, records: nothing, pending: pending)
      } catch {
        preconditionFailure("removals that were checked make no image: \(error.reason)")
      }
    }
  }

  /// Whether this image has the attributes of another, and all of its pending records but removals that were forgotten.
  package func holdsSame(forgetting other: TwinImage) -> Bool {
    guard equalBytes(records, other.records) else { return false }
    if forgottenThrough == .min { return equalBytes(pendingRecords, other.pendingRecords) }
    var here = pendingEntries[...]
    for entry in other.pendingEntries {
      if let first = here.first, equalBytes(record(first), other.record(entry)) {
        here = here.dropFirst()
        continue
      }
      let fact = other.attribute(entry)
      guard fact.isRemoval, fact.validTo == 0, fact.validFrom <= forgottenThrough else { return false }
    }
    return here.isEmpty
  }

  // MARK: On disk

  /// Parts what format 2 wrote in front of pending records from them.
  package static func forgotten(
    in pending: UnsafeRawBufferPointer
  ) -> (through: Int64, pending: UnsafeRawBufferPointer) {
    var reader = WireReader(pending)
    guard let first = reader.field(), first.number == UInt64(Fact.recordTag >> 3),
      case .bytes(let message) = first.content, let record = try? AttributeRecord(message), record.isDeletion
    else { return (.min, pending) }
    return (record.validFrom, pending.part(reader.position, pending.count - reader.position))
  }

  /// Says so of an image that was just decoded.
  package func markForgotten(through time: Int64) { storage.header.forgottenThrough = time }
}

extension [UInt8] {
  fileprivate mutating func appendVarint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(value))
  }
}
