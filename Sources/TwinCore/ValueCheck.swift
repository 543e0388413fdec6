// What a value in a request must be, before any state is looked at.

import CTwindProto

/// Checks a value that is to be set and returns its encoded size in bytes.
@discardableResult
func checkValue(
  _ value: UnsafePointer<Twind__V1__Value>?, of attribute: UnsafeRawBufferPointer
) throws(TwinError) -> Int {
  guard let value, value.pointee.kind_case != TWIND__V1__VALUE__KIND__NOT_SET else {
    throw .invalid("the value of \(quoted(attribute)) has no kind: set one, for example string_value")
  }
  if value.pointee.base.n_unknown_fields > 0 { throw unknownFields(attribute) }
  let size = twind__v1__value__get_packed_size(value)
  if size > Limits.valueBytesMax {
    throw .limit(
      .resourceExhausted, "the value of \(quoted(attribute))", "valueBytesMax", maximum: Limits.valueBytesMax,
      actual: size)
  }
  switch value.pointee.kind_case {
  case TWIND__V1__VALUE__KIND_STRING_VALUE:
    try checkString(value.pointee.string_value, of: attribute)
  case TWIND__V1__VALUE__KIND_JSON_VALUE:
    let text = try checkString(value.pointee.json_value, of: attribute)
    if let fault = JSONCheck.fault(in: text) {
      throw TwinError(
        .invalidArgument, "the json_value of \(quoted(attribute)) is not valid JSON: \(fault.reason)",
        detail: fault.limit)
    }
  case TWIND__V1__VALUE__KIND_DOUBLE_VALUE:
    try checkFinite(value.pointee.double_value, of: attribute)
  case TWIND__V1__VALUE__KIND_LIST_VALUE:
    try checkList(value.pointee.list_value, of: attribute)
  default:
    break
  }
  return size
}

@discardableResult
private func checkString(
  _ string: UnsafeMutablePointer<CChar>?, of attribute: UnsafeRawBufferPointer
) throws(TwinError) -> UnsafeRawBufferPointer {
  let text = Text(string).bytes
  if !isUTF8(text) { throw .invalid("the value of \(quoted(attribute)) is not UTF-8") }
  return text
}

func checkFinite(_ number: Double, of attribute: UnsafeRawBufferPointer) throws(TwinError) {
  if !number.isFinite { throw .invalid("the double_value of \(quoted(attribute)) is \(number): it must be finite") }
}

private func checkList(
  _ list: UnsafeMutablePointer<Twind__V1__ScalarList>?, of attribute: UnsafeRawBufferPointer
) throws(TwinError) {
  guard let list else { throw .invalid("the list_value of \(quoted(attribute)) is missing") }
  if list.pointee.base.n_unknown_fields > 0 { throw unknownFields(attribute) }
  for index in 0..<list.pointee.n_values {
    guard let scalar = list.pointee.values[index], scalar.pointee.kind_case != TWIND__V1__SCALAR__KIND__NOT_SET
    else { throw .invalid("element \(index) of the list_value of \(quoted(attribute)) has no kind") }
    if scalar.pointee.base.n_unknown_fields > 0 { throw unknownFields(attribute) }
    if scalar.pointee.kind_case == TWIND__V1__SCALAR__KIND_DOUBLE_VALUE {
      try checkFinite(scalar.pointee.double_value, of: attribute)
    }
    if scalar.pointee.kind_case == TWIND__V1__SCALAR__KIND_STRING_VALUE {
      try checkString(scalar.pointee.string_value, of: attribute)
    }
  }
}

private func unknownFields(_ attribute: UnsafeRawBufferPointer) -> TwinError {
  .invalid("the value of \(quoted(attribute)) has fields that this version does not know")
}
