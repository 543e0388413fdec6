// What a change in a request must be, before any state is looked at.

import CTwindProto

/// Checks one change and returns its attribute's name.
func checkChange(_ change: UnsafePointer<Twind__V1__Change>) throws(TwinError) -> Text {
  let name = Text(change.pointee.attribute)
  try checkAttributeName(name.bytes)
  try checkIsNotReserved(attribute: name.bytes)
  switch change.pointee.op_case {
  case TWIND__V1__CHANGE__OP_SET:
    try checkValue(change.pointee.set, of: name.bytes)
  case TWIND__V1__CHANGE__OP_REMOVE:
    if change.pointee.remove == 0 {
      throw .invalid("the remove field of \(quoted(name.bytes)) is false: set it to true, or omit the change")
    }
  case TWIND__V1__CHANGE__OP_INCREMENT:
    try checkIncrement(change, of: name.bytes)
  default:
    throw .invalid("the change of \(quoted(name.bytes)) does nothing: use set, remove or increment")
  }
  let confidence = change.pointee.confidence
  if confidence != 0 && !(confidence > 0 && confidence <= 1) {
    throw .invalid("the confidence \(confidence) of \(quoted(name.bytes)) must be above 0 and at most 1")
  }
  try checkEvidence(Text(change.pointee.evidence).bytes, of: name.bytes)
  let (from, to) = (change.pointee.valid_from_time, change.pointee.valid_to_time)
  if from != 0 && to != 0 && to <= from { throw emptyInterval(name, from: from, to: to) }
  return name
}

private func checkIncrement(
  _ change: UnsafePointer<Twind__V1__Change>, of name: UnsafeRawBufferPointer
) throws(TwinError) {
  try checkValue(change.pointee.increment, of: name)
  let kind = change.pointee.increment.pointee.kind_case
  if kind != TWIND__V1__VALUE__KIND_INT_VALUE && kind != TWIND__V1__VALUE__KIND_DOUBLE_VALUE {
    throw .invalid("the increment of \(quoted(name)) must be an int_value or a double_value")
  }
  // Its fact says what the sum is. One that began later, or ended, would leave out what is added meanwhile.
  if change.pointee.valid_from_time != 0 || change.pointee.valid_to_time != 0 {
    throw .invalid(
      "the increment of \(quoted(name)) has a valid time, but an increment always holds from now on: leave "
        + "valid_from_time and valid_to_time out, or set a value instead")
  }
}

/// Intervals are half-open; one that holds no moment says nothing.
func emptyInterval(_ name: Text, from: Int64, to: Int64) -> TwinError {
  .invalid(
    "\(quoted(name.bytes)) is valid from \(instant(from)) to \(instant(to)): valid_to_time must be above "
      + "valid_from_time")
}
