// Tells one request from another under the same idempotency key.
//
// Two requests are the same when they mean the same: method, purpose, twins in their order, preconditions, and each twin's
// changes in byte order of their attributes, with all that a change says. Durability is left out, since a caller may well
// ask for more of it when it tries again, and so is how the message was encoded: the order of its fields, of the changes,
// and fields that this version does not know. The order of the twins counts, for the result has their revisions in it.
//
// Version 0.1 stored a hash of the request's bytes. For as long as such keys are kept, a request is also the same when its
// bytes are: what a client sends again after an upgrade of the daemon is answered with the first result. One that means the
// same in other bytes is refused as another request then, as 0.1 refused it; it is never done twice.

import CTwindProto
import TwinCore

package struct RequestHash: Equatable, Sendable {
  /// Of what the request means; this one is stored.
  package let meaning: UInt64
  /// Of its bytes, as version 0.1 stored it.
  package let payload: UInt64

  package init(meaning: UInt64, payload: UInt64) {
    self.meaning = meaning
    self.payload = payload
  }

  /// Of a request without a key: nothing is hashed.
  package static let none = RequestHash(meaning: 0, payload: 0)

  /// `method` keeps an update apart from a delete with the same bytes.
  package init(_ command: Command, method: StaticString, payload: UnsafeRawBufferPointer) {
    if command.idempotencyKey.isEmpty {
      self = .none
    } else {
      self.init(meaning: RequestHash.meaning(of: command), payload: RequestHash.payload(payload, of: method))
    }
  }

  package func matches(_ stored: UInt64) -> Bool { stored == meaning || stored == payload }

  package static func payload(_ payload: UnsafeRawBufferPointer, of method: StaticString) -> UInt64 {
    var hash = SipHash()
    hash.add(UnsafeRawBufferPointer(start: method.utf8Start, count: method.utf8CodeUnitCount))
    hash.add(payload)
    return hash.finish()
  }

  package static func meaning(of command: Command) -> UInt64 {
    var hash = SipHash()
    let method: UInt64 =
      switch command.method {
      case .update: 1
      case .batch: 2
      case .delete: 3
      }
    hash.add(word: method)
    hash.add(command.purpose.bytes)
    hash.add(word: UInt64(command.twins.count))
    for twin in command.twins { hash.add(twin) }
    return hash.finish()
  }
}

// Every part says first of what kind it is, or how many follow: no two requests give the same words.
extension SipHash {
  fileprivate mutating func add(_ twin: Command.Twin) {
    add(twin.name.bytes)
    switch twin.precondition {
    case .none: add(word: 0)
    case .mustNotExist: add(word: 1)
    case .revision(let revision):
      add(word: 2)
      add(word: revision)
    }
    switch twin.operation {
    case .delete: add(word: .max)
    case .update(let changes):
      add(word: UInt64(changes.count))
      for change in changes { add(change) }
    }
  }

  private mutating func add(_ change: UnsafePointer<Twind__V1__Change>) {
    add(Text(change.pointee.attribute).bytes)
    add(word: UInt64(change.pointee.op_case.rawValue))
    switch change.pointee.op_case {
    case TWIND__V1__CHANGE__OP_SET: add(change.pointee.set)
    case TWIND__V1__CHANGE__OP_INCREMENT: add(change.pointee.increment)
    default: break
    }
    add(word: UInt64(bitPattern: change.pointee.valid_from_time))
    add(word: UInt64(bitPattern: change.pointee.valid_to_time))
    // Both zeros mean that none is stated.
    add(word: change.pointee.confidence == 0 ? 0 : change.pointee.confidence.bitPattern)
    add(Text(change.pointee.evidence).bytes)
  }

  private mutating func add(_ value: UnsafePointer<Twind__V1__Value>?) {
    guard let value = value?.pointee else { return add(word: 0) }
    add(word: UInt64(value.kind_case.rawValue))
    switch value.kind_case {
    case TWIND__V1__VALUE__KIND_STRING_VALUE: add(Text(value.string_value).bytes)
    case TWIND__V1__VALUE__KIND_INT_VALUE: add(word: UInt64(bitPattern: value.int_value))
    case TWIND__V1__VALUE__KIND_DOUBLE_VALUE: add(word: value.double_value.bitPattern)
    case TWIND__V1__VALUE__KIND_BOOL_VALUE: add(word: value.bool_value == 0 ? 0 : 1)
    case TWIND__V1__VALUE__KIND_BYTES_VALUE: add(value.bytes_value)
    case TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE: add(word: UInt64(bitPattern: value.timestamp_value))
    case TWIND__V1__VALUE__KIND_JSON_VALUE: add(Text(value.json_value).bytes)
    case TWIND__V1__VALUE__KIND_LIST_VALUE:
      guard let list = value.list_value?.pointee else { return add(word: 0) }
      add(word: UInt64(list.n_values))
      for index in 0..<list.n_values { add(list.values[index]) }
    default: break
    }
  }

  private mutating func add(_ scalar: UnsafeMutablePointer<Twind__V1__Scalar>?) {
    guard let scalar = scalar?.pointee else { return add(word: 0) }
    add(word: UInt64(scalar.kind_case.rawValue))
    switch scalar.kind_case {
    case TWIND__V1__SCALAR__KIND_STRING_VALUE: add(Text(scalar.string_value).bytes)
    case TWIND__V1__SCALAR__KIND_INT_VALUE: add(word: UInt64(bitPattern: scalar.int_value))
    case TWIND__V1__SCALAR__KIND_DOUBLE_VALUE: add(word: scalar.double_value.bitPattern)
    case TWIND__V1__SCALAR__KIND_BOOL_VALUE: add(word: scalar.bool_value == 0 ? 0 : 1)
    case TWIND__V1__SCALAR__KIND_BYTES_VALUE: add(scalar.bytes_value)
    case TWIND__V1__SCALAR__KIND_TIMESTAMP_VALUE: add(word: UInt64(bitPattern: scalar.timestamp_value))
    default: break
    }
  }

  private mutating func add(_ binary: ProtobufCBinaryData) {
    add(UnsafeRawBufferPointer(start: binary.data, count: binary.data == nil ? 0 : binary.len))
  }
}
