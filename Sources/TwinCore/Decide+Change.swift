// Decide for one change: a set, a removal or an increment of one attribute.
//
// Promises: a change makes no fact when, as far as memory knows, it would say about no time anything that is not said
// already. What was superseded long ago memory does not know: a change about that always makes a fact.

import CTwindProto

/// What memory retains of one attribute.
struct Retained {
  /// In the order of their recording.
  let facts: [AttributeRecord]
  let timeline: Timeline
  /// Whether there never was anything that is not retained.
  let isComplete: Bool

  /// - Parameter recalled: removals that the image had forgotten.
  init(_ name: UnsafeRawBufferPointer, of image: TwinImage?, recalling recalled: TwinImage? = nil) {
    var facts = image?.facts(of: name) ?? []
    if let removal = recalled?.facts(of: name).first {
      facts.insert(removal, at: facts.firstIndex { $0.sequence > removal.sequence } ?? facts.count)
    }
    self.facts = facts
    var timeline = Timeline()
    for fact in facts { timeline.append(fact.validity) }
    self.timeline = timeline
    isComplete = image == nil
  }

  /// The value at a time that is not before the commit; nil = none.
  func value(at time: Int64) -> AttributeRecord? {
    timeline.winner(at: time).map { facts[$0] }.flatMap { $0.isRemoval ? nil : $0 }
  }
}

/// The fact that the change makes, nil when it changes nothing.
func decideChange(
  _ change: UnsafePointer<Twind__V1__Change>, of name: Text, on retained: Retained, as commit: Commit,
  ordinal: UInt32
) throws(TwinError) -> Fact? {
  let validity = try checkValidity(change, of: name, as: commit)
  let kind: Fact.Change
  switch change.pointee.op_case {
  case TWIND__V1__CHANGE__OP_SET:
    kind = .set(UnsafePointer(change.pointee.set!))
  case TWIND__V1__CHANGE__OP_INCREMENT:
    kind = try increment(change.pointee.increment, of: name, on: retained.value(at: validity.from))
  default:
    kind = .removal
  }
  let replaced = retained.timeline.replaced(by: validity)
  let changesNothing = replaced.allSatisfy { index in
    guard let index else {
      // Of a past that is not retained nobody knows here whether there was a value.
      guard case .removal = kind else { return false }
      return retained.isComplete || validity.from >= commit.recordedAt
    }
    let fact = retained.facts[index]
    return isSame(kind, fact.value) && isSameProvenance(change, fact)
  }
  if changesNothing { return nil }
  return Fact(
    kind, of: name, ordinal: ordinal, validFrom: validity.from, validTo: validity.to,
    confidence: change.pointee.confidence, evidence: Text(change.pointee.evidence), in: commit)
}

/// When the change holds.
private func checkValidity(
  _ change: UnsafePointer<Twind__V1__Change>, of name: Text, as commit: Commit
) throws(TwinError) -> Validity {
  let stated = change.pointee.valid_from_time
  let from = stated == 0 ? commit.recordedAt : stated
  let to = change.pointee.valid_to_time
  if to != 0 && to <= from { throw emptyInterval(name, from: from, to: to) }
  return Validity(from: from, to: to)
}

/// Whether the change states nothing about validity, confidence and evidence that the fact does not.
private func isSameProvenance(_ change: UnsafePointer<Twind__V1__Change>, _ fact: AttributeRecord) -> Bool {
  let evidence = Text(change.pointee.evidence)
  return change.pointee.valid_to_time == fact.validTo
    && (change.pointee.valid_from_time == 0 || change.pointee.valid_from_time == fact.validFrom)
    && (change.pointee.confidence == 0 || change.pointee.confidence == fact.confidence)
    && (evidence.isEmpty || equalBytes(evidence.bytes, fact.evidence))
}

/// Whether these bytes, none for no value, are what the change makes of the attribute.
private func isSame(_ kind: Fact.Change, _ encoded: UnsafeRawBufferPointer) -> Bool {
  switch (kind, EncodedKind(encoded)) {
  case (.set(let value), _): isSame(value, encoded)
  case (.int(let sum, _), .int(let number)): sum == number
  case (.double(let sum, _), .double(let number)): sum == number
  case (.removal, nil): true
  default: false
  }
}

/// Whether the value, encoded, is these bytes.
private func isSame(_ value: UnsafePointer<Twind__V1__Value>, _ encoded: UnsafeRawBufferPointer) -> Bool {
  let size = twind__v1__value__get_packed_size(value)
  guard size == encoded.count else { return false }
  return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { buffer in
    twind__v1__value__pack(value, buffer.baseAddress)
    return equalBytes(UnsafeRawBufferPointer(buffer), encoded)
  }
}

/// The sum.
private func increment(
  _ delta: UnsafePointer<Twind__V1__Value>, of name: Text, on present: AttributeRecord?
) throws(TwinError) -> Fact.Change {
  let isInt = delta.pointee.kind_case == TWIND__V1__VALUE__KIND_INT_VALUE
  let before = present.flatMap { EncodedKind($0.value) } ?? (isInt ? .int(0) : .double(0))
  switch (before, isInt) {
  case (.int(let number), true):
    let (sum, overflows) = number.addingReportingOverflow(delta.pointee.int_value)
    if overflows {
      throw TwinError(
        .outOfRange,
        "\(quoted(name.bytes)) cannot be incremented by \(delta.pointee.int_value): the sum exceeds 64 bits")
    }
    return .int(sum, delta: delta.pointee.int_value)
  case (.double(let number), false):
    let sum = number + delta.pointee.double_value
    if !sum.isFinite {
      throw TwinError(
        .outOfRange,
        "\(quoted(name.bytes)) cannot be incremented by \(delta.pointee.double_value): the sum is not finite")
    }
    return .double(sum, delta: delta.pointee.double_value)
  default:
    let delta = isInt ? "int_value" : "double_value"
    throw TwinError(
      .failedPrecondition,
      "\(quoted(name.bytes)) holds a \(before.name): it cannot be incremented by a value of kind \(delta)")
  }
}
