// Conversion between values and protobuf-c's structs. Value and Scalar have the same fields, but are two types in C.

import CTwindProto
import TTRPC

extension Value {
  func wire(in arena: Arena) -> UnsafeMutablePointer<Twind__V1__Value> {
    let message = arena.make(Twind__V1__Value.self)
    switch self {
    case .scalar(.unknown(let encoded)):
      return arena.message(encoded)
    case .scalar(.string(let text)):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_STRING_VALUE
      message.pointee.string_value = arena.string(text)
    case .scalar(.int(let number)):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_INT_VALUE
      message.pointee.int_value = number
    case .scalar(.double(let number)):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_DOUBLE_VALUE
      message.pointee.double_value = number
    case .scalar(.bool(let truth)):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_BOOL_VALUE
      message.pointee.bool_value = truth ? 1 : 0
    case .scalar(.bytes(let bytes)):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_BYTES_VALUE
      message.pointee.bytes_value = bytes.withUnsafeBytes { arena.binary($0) }
    case .scalar(.timestamp(let micros)):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE
      message.pointee.timestamp_value = micros
    case .list(let scalars):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_LIST_VALUE
      let list = arena.make(Twind__V1__ScalarList.self)
      list.pointee.n_values = scalars.count
      list.pointee.values = arena.array(scalars.map { $0.wire(in: arena) })
      message.pointee.list_value = list
    case .json(let text):
      message.pointee.kind_case = TWIND__V1__VALUE__KIND_JSON_VALUE
      message.pointee.json_value = arena.string(text)
    }
    return message
  }

  init(_ message: UnsafePointer<Twind__V1__Value>?) {
    guard let message else {
      self = .unknown([])
      return
    }
    let value = message.pointee
    switch value.kind_case {
    case TWIND__V1__VALUE__KIND_STRING_VALUE: self = .string(String(cString: value.string_value))
    case TWIND__V1__VALUE__KIND_INT_VALUE: self = .int(value.int_value)
    case TWIND__V1__VALUE__KIND_DOUBLE_VALUE: self = .double(value.double_value)
    case TWIND__V1__VALUE__KIND_BOOL_VALUE: self = .bool(value.bool_value != 0)
    case TWIND__V1__VALUE__KIND_BYTES_VALUE: self = .bytes([UInt8](value.bytes_value))
    case TWIND__V1__VALUE__KIND_TIMESTAMP_VALUE: self = .timestamp(value.timestamp_value)
    case TWIND__V1__VALUE__KIND_LIST_VALUE:
      let list = value.list_value.pointee
      self = .list(messages(list.values, list.n_values).map { Scalar($0) })
    case TWIND__V1__VALUE__KIND_JSON_VALUE: self = .json(String(cString: value.json_value))
    default: self = .unknown(message.encoded())
    }
  }
}

extension Scalar {
  fileprivate func wire(in arena: Arena) -> UnsafeMutablePointer<Twind__V1__Scalar> {
    let message = arena.make(Twind__V1__Scalar.self)
    switch self {
    case .unknown(let encoded):
      return arena.message(encoded)
    case .string(let text):
      message.pointee.kind_case = TWIND__V1__SCALAR__KIND_STRING_VALUE
      message.pointee.string_value = arena.string(text)
    case .int(let number):
      message.pointee.kind_case = TWIND__V1__SCALAR__KIND_INT_VALUE
      message.pointee.int_value = number
    case .double(let number):
      message.pointee.kind_case = TWIND__V1__SCALAR__KIND_DOUBLE_VALUE
      message.pointee.double_value = number
    case .bool(let truth):
      message.pointee.kind_case = TWIND__V1__SCALAR__KIND_BOOL_VALUE
      message.pointee.bool_value = truth ? 1 : 0
    case .bytes(let bytes):
      message.pointee.kind_case = TWIND__V1__SCALAR__KIND_BYTES_VALUE
      message.pointee.bytes_value = bytes.withUnsafeBytes { arena.binary($0) }
    case .timestamp(let micros):
      message.pointee.kind_case = TWIND__V1__SCALAR__KIND_TIMESTAMP_VALUE
      message.pointee.timestamp_value = micros
    }
    return message
  }

  fileprivate init(_ message: UnsafePointer<Twind__V1__Scalar>) {
    let value = message.pointee
    switch value.kind_case {
    case TWIND__V1__SCALAR__KIND_STRING_VALUE: self = .string(String(cString: value.string_value))
    case TWIND__V1__SCALAR__KIND_INT_VALUE: self = .int(value.int_value)
    case TWIND__V1__SCALAR__KIND_DOUBLE_VALUE: self = .double(value.double_value)
    case TWIND__V1__SCALAR__KIND_BOOL_VALUE: self = .bool(value.bool_value != 0)
    case TWIND__V1__SCALAR__KIND_BYTES_VALUE: self = .bytes([UInt8](value.bytes_value))
    case TWIND__V1__SCALAR__KIND_TIMESTAMP_VALUE: self = .timestamp(value.timestamp_value)
    default: self = .unknown(message.encoded())
    }
  }
}

extension Arena {
  /// Decodes the message; an empty one, which the daemon refuses, if the bytes are not valid.
  fileprivate func message<Message: ProtobufMessage>(_ encoded: [UInt8]) -> UnsafeMutablePointer<Message> {
    let unpacked = encoded.withUnsafeBytes { try? unpack(Message.self, $0) }
    return unpacked.map { UnsafeMutablePointer(mutating: $0) } ?? make(Message.self)
  }
}

extension [UInt8] {
  init(_ data: ProtobufCBinaryData) { self.init(UnsafeBufferPointer(start: data.data, count: data.len)) }
}
