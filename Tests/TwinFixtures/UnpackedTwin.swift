// A twin's records as protobuf-c reads them: the independent witness that they are the `attributes` of a
// twind.v1.Twin.

import CTwindProto
import TwinCore

package struct UnpackedAttribute: Equatable, Sendable {
  package var name: String
  package var value: Literal
  package var validFrom: Int64
  package var validTo: Int64
  package var recordedAt: Int64
  package var agent: String
  package var confidence: Double
  package var evidence: String
  package var sequence: UInt64
  package var purpose: String
  package var increment: Literal

  package init(
    name: String, value: Literal, validFrom: Int64, validTo: Int64 = 0, recordedAt: Int64, agent: String,
    confidence: Double, evidence: String, sequence: UInt64, purpose: String, increment: Literal = .none
  ) {
    self.name = name
    self.value = value
    self.validFrom = validFrom
    self.validTo = validTo
    self.recordedAt = recordedAt
    self.agent = agent
    self.confidence = confidence
    self.evidence = evidence
    self.sequence = sequence
    self.purpose = purpose
    self.increment = increment
  }
}

/// Nil when protobuf-c refuses the bytes.
package func unpackTwin(_ records: [UInt8]) -> [UnpackedAttribute]? {
  guard let twin = twind__v1__twin__unpack(nil, records.count, records) else { return nil }
  defer { twind__v1__twin__free_unpacked(twin, nil) }
  return (0..<twin.pointee.n_attributes).map { unpacked(twin.pointee.attributes[$0]!) }
}

/// The records of a change: attributes with a value, and the names of those without.
package func unpackChange(_ records: [UInt8]) -> (set: [UnpackedAttribute], removed: [String])? {
  unpackTwin(records).map { facts in
    (facts.filter { $0.value != .none }, facts.filter { $0.value == .none }.map(\.name))
  }
}

package func unpacked(_ attribute: UnsafeMutablePointer<Twind__V1__Attribute>) -> UnpackedAttribute {
  UnpackedAttribute(
    name: String(cString: attribute.pointee.name), value: literal(attribute.pointee.value),
    validFrom: attribute.pointee.valid_from_time, validTo: attribute.pointee.valid_to_time,
    recordedAt: attribute.pointee.recorded_at,
    agent: String(cString: attribute.pointee.agent), confidence: attribute.pointee.confidence,
    evidence: String(cString: attribute.pointee.evidence), sequence: attribute.pointee.sequence,
    purpose: String(cString: attribute.pointee.purpose), increment: literal(attribute.pointee.increment))
}

private func literal(_ value: UnsafeMutablePointer<Twind__V1__Value>?) -> Literal {
  guard let value else { return .none }
  switch value.pointee.kind_case {
  case TWIND__V1__VALUE__KIND_STRING_VALUE: return .string(String(cString: value.pointee.string_value))
  case TWIND__V1__VALUE__KIND_INT_VALUE: return .int(value.pointee.int_value)
  case TWIND__V1__VALUE__KIND_DOUBLE_VALUE: return .double(value.pointee.double_value)
  case TWIND__V1__VALUE__KIND_BOOL_VALUE: return .bool(value.pointee.bool_value != 0)
  case TWIND__V1__VALUE__KIND_BYTES_VALUE:
    return .bytes(
      Array(UnsafeBufferPointer(start: value.pointee.bytes_value.data, count: value.pointee.bytes_value.len)))
  case TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE: return .timestamp(value.pointee.timestamp_value)
  case TWIND__V1__VALUE__KIND_JSON_VALUE: return .json(String(cString: value.pointee.json_value))
  case TWIND__V1__VALUE__KIND_LIST_VALUE:
    let list = value.pointee.list_value!
    return .list((0..<list.pointee.n_values).map { scalar(list.pointee.values[$0]!) })
  default: return .none
  }
}

private func scalar(_ scalar: UnsafeMutablePointer<Twind__V1__Scalar>) -> Literal {
  switch scalar.pointee.kind_case {
  case TWIND__V1__SCALAR__KIND_STRING_VALUE: .string(String(cString: scalar.pointee.string_value))
  case TWIND__V1__SCALAR__KIND_INT_VALUE: .int(scalar.pointee.int_value)
  case TWIND__V1__SCALAR__KIND_DOUBLE_VALUE: .double(scalar.pointee.double_value)
  default: .none
  }
}
