// Requests as protobuf-c would have unpacked them, for tests. They live as long as the object that made them.

import CTwindProto

package final class Requests {
  private var blocks: [UnsafeMutableRawPointer] = []

  package init() {}

  deinit {
    for block in blocks { block.deallocate() }
  }

  package func make<T>(_ initialize: (UnsafeMutablePointer<T>) -> Void) -> UnsafeMutablePointer<T> {
    let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
    blocks.append(UnsafeMutableRawPointer(pointer))
    initialize(pointer)
    return pointer
  }

  package func array<T>(_ elements: [UnsafeMutablePointer<T>]) -> UnsafeMutablePointer<UnsafeMutablePointer<T>?> {
    let pointer = UnsafeMutablePointer<UnsafeMutablePointer<T>?>.allocate(capacity: max(elements.count, 1))
    blocks.append(UnsafeMutableRawPointer(pointer))
    for (index, element) in elements.enumerated() { (pointer + index).initialize(to: element) }
    return pointer
  }

  package func text(_ string: String) -> UnsafeMutablePointer<CChar> { text(Array(string.utf8)) }

  package func text(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
    let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    blocks.append(UnsafeMutableRawPointer(pointer))
    for (index, byte) in (bytes + [0]).enumerated() {
      (pointer + index).initialize(to: CChar(bitPattern: byte))
    }
    return pointer
  }
}

/// A value in a test.
package enum Literal: Equatable, Sendable {
  case string(String)
  case int(Int64)
  case double(Double)
  case bool(Bool)
  case bytes([UInt8])
  case timestamp(Int64)
  case json(String)
  case list([Literal])
  case none
}

package typealias ChangePointer = UnsafeMutablePointer<Twind__V1__Change>

extension Requests {
  package func value(_ literal: Literal) -> UnsafeMutablePointer<Twind__V1__Value> {
    let value = make(twind__v1__value__init)
    switch literal {
    case .string(let string):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_STRING_VALUE
      value.pointee.string_value = text(string)
    case .int(let number):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_INT_VALUE
      value.pointee.int_value = number
    case .double(let number):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_DOUBLE_VALUE
      value.pointee.double_value = number
    case .bool(let bool):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_BOOL_VALUE
      value.pointee.bool_value = bool ? 1 : 0
    case .bytes(let bytes):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_BYTES_VALUE
      value.pointee.bytes_value = binary(bytes)
    case .timestamp(let micros):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE
      value.pointee.timestamp_value = micros
    case .json(let string):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_JSON_VALUE
      value.pointee.json_value = text(string)
    case .list(let scalars):
      value.pointee.kind_case = TWIND__V1__VALUE__KIND_LIST_VALUE
      let list = make(twind__v1__scalar_list__init)
      list.pointee.n_values = scalars.count
      list.pointee.values = array(scalars.map(scalar))
      value.pointee.list_value = list
    case .none:
      break
    }
    return value
  }

  private func scalar(_ literal: Literal) -> UnsafeMutablePointer<Twind__V1__Scalar> {
    let scalar = make(twind__v1__scalar__init)
    switch literal {
    case .string(let string):
      scalar.pointee.kind_case = TWIND__V1__SCALAR__KIND_STRING_VALUE
      scalar.pointee.string_value = text(string)
    case .int(let number):
      scalar.pointee.kind_case = TWIND__V1__SCALAR__KIND_INT_VALUE
      scalar.pointee.int_value = number
    case .double(let number):
      scalar.pointee.kind_case = TWIND__V1__SCALAR__KIND_DOUBLE_VALUE
      scalar.pointee.double_value = number
    default:
      break
    }
    return scalar
  }

  private func binary(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    blocks.append(UnsafeMutableRawPointer(copy))
    copy.initialize(from: bytes, count: bytes.count)
    return ProtobufCBinaryData(len: bytes.count, data: copy)
  }

  package func change(
    _ attribute: String, from: Int64 = 0, to: Int64 = 0, confidence: Double = 0, evidence: String = ""
  ) -> ChangePointer {
    let change = make(twind__v1__change__init)
    change.pointee.attribute = text(attribute)
    change.pointee.valid_from_time = from
    change.pointee.valid_to_time = to
    change.pointee.confidence = confidence
    change.pointee.evidence = text(evidence)
    return change
  }

  package func set(
    _ attribute: String, _ literal: Literal, from: Int64 = 0, to: Int64 = 0, confidence: Double = 0,
    evidence: String = ""
  ) -> ChangePointer {
    let change = change(attribute, from: from, to: to, confidence: confidence, evidence: evidence)
    change.pointee.op_case = TWIND__V1__CHANGE__OP_SET
    change.pointee.set = value(literal)
    return change
  }

  package func remove(
    _ attribute: String, _ isTrue: Bool = true, from: Int64 = 0, to: Int64 = 0, evidence: String = ""
  ) -> ChangePointer {
    let change = change(attribute, from: from, to: to, evidence: evidence)
    change.pointee.op_case = TWIND__V1__CHANGE__OP_REMOVE
    change.pointee.remove = isTrue ? 1 : 0
    return change
  }

  package func increment(
    _ attribute: String, _ literal: Literal, from: Int64 = 0, to: Int64 = 0
  ) -> ChangePointer {
    let change = change(attribute, from: from, to: to)
    change.pointee.op_case = TWIND__V1__CHANGE__OP_INCREMENT
    change.pointee.increment = value(literal)
    return change
  }

  package func update(
    _ name: String, _ changes: [ChangePointer], expected: UInt64? = nil, mustNotExist: Bool = false,
    key: String = "", purpose: String = ""
  ) -> UnsafeMutablePointer<Twind__V1__UpdateTwinRequest> {
    let request = make(twind__v1__update_twin_request__init)
    request.pointee.name = text(name)
    request.pointee.n_changes = changes.count
    request.pointee.changes = array(changes)
    request.pointee.idempotency_key = text(key)
    request.pointee.purpose = text(purpose)
    if let expected {
      request.pointee.precondition_case = TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_EXPECTED_REVISION
      request.pointee.expected_revision = expected
    } else if mustNotExist {
      request.pointee.precondition_case = TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_MUST_NOT_EXIST
      request.pointee.must_not_exist = 1
    }
    return request
  }

  package func batch(
    _ updates: [UnsafeMutablePointer<Twind__V1__UpdateTwinRequest>], key: String = ""
  ) -> UnsafeMutablePointer<Twind__V1__BatchUpdateTwinsRequest> {
    let request = make(twind__v1__batch_update_twins_request__init)
    request.pointee.n_requests = updates.count
    request.pointee.requests = array(updates)
    request.pointee.idempotency_key = text(key)
    return request
  }

  package func delete(
    _ name: String, expected: UInt64? = nil, key: String = ""
  ) -> UnsafeMutablePointer<Twind__V1__DeleteTwinRequest> {
    let request = make(twind__v1__delete_twin_request__init)
    request.pointee.name = text(name)
    request.pointee.idempotency_key = text(key)
    if let expected {
      request.pointee.precondition_case = TWIND__V1__DELETE_TWIN_REQUEST__PRECONDITION_EXPECTED_REVISION
      request.pointee.expected_revision = expected
    }
    return request
  }
}
