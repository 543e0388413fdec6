// Looks in a twin's facts for removals that its image has forgotten.

/// Facts of one twin, added in the order of their recording.
package struct RemovalSearch {
  /// Of each attribute looked for the open fact that counts when no bounded one does; nil = none so far.
  private var last: [[UInt8]: StoredFact?] = [:]

  package init(_ names: some Sequence<[UInt8]>) {
    for name in names { last[name] = .some(nil) }
  }

  package mutating func add(_ fact: StoredFact) throws(RecordFault) {
    let found = fact.message.withUnsafeBytes { (bytes) -> Result<[UInt8]?, RecordFault> in
      do {
        let record = try AttributeRecord(bytes)
        if record.isDeletion { return .success([]) }
        if record.validTo != 0 { return .success(nil) }
        let name = [UInt8](record.name)
        guard let before = last[name] else { return .success(nil) }
        return .success(before.map { Self.validFrom($0) <= record.validFrom } ?? true ? name : nil)
      } catch {
        return .failure(RecordFault(offset: Int(fact.ordinal), reason: "it is not an attribute"))
      }
    }
    guard let name = try found.get() else { return }
    // What was there before a deletion is gone with it.
    if name.isEmpty { last = last.mapValues { _ in nil } } else { last[name] = .some(fact) }
  }

  private static func validFrom(_ fact: StoredFact) -> Int64 {
    fact.message.withUnsafeBytes { (try? AttributeRecord($0))?.validFrom ?? .min }
  }

  /// Those that are removals, as `apply` and `decide` are given them.
  package func recalled(_ name: TwinName) -> TwinImage? {
    let removals = last.values.compactMap { $0 }.filter { fact in
      fact.message.withUnsafeBytes { (try? AttributeRecord($0))?.isRemoval ?? false }
    }
    let sorted = removals.sorted { left, right in
      left.message.withUnsafeBytes { left in
        right.message.withUnsafeBytes { right in
          guard let first = try? AttributeRecord(left), let second = try? AttributeRecord(right) else { return false }
          return compareBytes(first.name, second.name) < 0
        }
      }
    }
    return TwinImage.recalled(name, sorted.map(\.message))
  }
}
