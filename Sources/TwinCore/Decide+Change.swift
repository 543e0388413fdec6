// Decide for one change: a set, a removal or an increment of one attribute.

import CTwindProto

/// The fact that the change makes on the present attribute, nil when it changes nothing.
func decideChange(
  _ change: UnsafePointer<Twind__V1__Change>, of name: Text, on present: AttributeRecord?, as commit: Commit,
  ordinal: UInt32
) throws(TwinError) -> Fact? {
  let validFrom = try checkValidity(change, of: name, on: present, as: commit)
  func fact(_ kind: Fact.Change) -> Fact {
    Fact(
      kind, of: name, ordinal: ordinal, validFrom: validFrom, confidence: change.pointee.confidence,
      evidence: Text(change.pointee.evidence), in: commit)
  }
  switch change.pointee.op_case {
  case TWIND__V1__CHANGE__OP_SET:
    let value = UnsafePointer(change.pointee.set!)
    if let present, isSame(value, present.value), isSameProvenance(change, present) { return nil }
    return fact(.set(value))
  case TWIND__V1__CHANGE__OP_INCREMENT:
    let (kind, isSameValue) = try increment(change.pointee.increment, of: name, on: present)
    if let present, isSameValue, isSameProvenance(change, present) { return nil }
    return fact(kind)
  default:
    return present == nil ? nil : fact(.removal)
  }
}

/// From when the change holds.
private func checkValidity(
  _ change: UnsafePointer<Twind__V1__Change>, of name: Text, on present: AttributeRecord?, as commit: Commit
) throws(TwinError) -> Int64 {
  let stated = change.pointee.valid_from_time
  let from = stated == 0 ? commit.recordedAt : stated
  let to = change.pointee.valid_to_time
  if to != 0 && to <= from { throw emptyInterval(name, from: from, to: to) }
  if change.pointee.op_case == TWIND__V1__CHANGE__OP_INCREMENT && from < commit.recordedAt {
    throw .invalid(
      "the increment of \(quoted(name.bytes)) is valid from \(from), in the past: leave valid_from_time out")
  }
  let reason: String? =
    if to != 0 {
      "states valid_to_time"
    } else if from > commit.recordedAt {
      "is valid from \(from), in the future"
    } else if stated != 0, let present, from < present.validFrom {
      "is valid from \(from), before the present value's \(present.validFrom)"
    } else {
      nil
    }
  if let reason {
    throw TwinError(
      .failedPrecondition,
      "the change of \(quoted(name.bytes)) \(reason): that needs history, which this version does not keep")
  }
  return from
}

/// Whether the change states nothing about validity, confidence and evidence that the present attribute does not.
private func isSameProvenance(_ change: UnsafePointer<Twind__V1__Change>, _ present: AttributeRecord) -> Bool {
  let evidence = Text(change.pointee.evidence)
  return (change.pointee.valid_from_time == 0 || change.pointee.valid_from_time == present.validFrom)
    && (change.pointee.confidence == 0 || change.pointee.confidence == present.confidence)
    && (evidence.isEmpty || equalBytes(evidence.bytes, present.evidence))
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

/// The sum, and whether it is the present value.
private func increment(
  _ delta: UnsafePointer<Twind__V1__Value>, of name: Text, on present: AttributeRecord?
) throws(TwinError) -> (Fact.Change, isSameValue: Bool) {
  let isInt = delta.pointee.kind_case == TWIND__V1__VALUE__KIND_INT_VALUE
  let before = present.flatMap { EncodedKind($0.value) } ?? (isInt ? .int(0) : .double(0))
  switch (before, isInt) {
  case (.int(let number), true):
    let (sum, overflows) = number.addingReportingOverflow(delta.pointee.int_value)
    if overflows {
      throw TwinError(
        .outOfRange, "\(quoted(name.bytes)) is \(number): adding \(delta.pointee.int_value) leaves 64 bits")
    }
    return (.int(sum, delta: delta.pointee.int_value), sum == number)
  case (.double(let number), false):
    let sum = number + delta.pointee.double_value
    if !sum.isFinite {
      throw TwinError(
        .outOfRange, "\(quoted(name.bytes)) is \(number): adding \(delta.pointee.double_value) is not finite")
    }
    return (.double(sum, delta: delta.pointee.double_value), sum == number)
  default:
    let delta = isInt ? "int_value" : "double_value"
    throw TwinError(
      .failedPrecondition, "\(quoted(name.bytes)) holds a \(before.name): it cannot be incremented by a \(delta)")
  }
}
