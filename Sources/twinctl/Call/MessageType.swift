// Message types from protobuf-c's descriptors, for the JSON of `twinctl call`.

import CProtobufC
import TTRPC

struct MessageType {
  private let pointer: UnsafePointer<ProtobufCMessageDescriptor>

  init(_ descriptor: Descriptor) { pointer = descriptor.pointer }

  fileprivate init(_ pointer: UnsafePointer<ProtobufCMessageDescriptor>) { self.pointer = pointer }

  /// "twind.v1.GetTwinRequest"
  var name: String { String(cString: pointer.pointee.name) }

  /// In the order of their numbers.
  var fields: [MessageField] {
    (0..<Int(pointer.pointee.n_fields)).map { MessageField(pointer.pointee.fields + $0) }
  }
}

struct MessageField {
  /// The form of one element on the wire and in JSON.
  enum Kind {
    case signed
    /// sint32 and sint64.
    case zigzag
    case unsigned
    case bool
    case fixed(byteCount: Int, isSigned: Bool)
    case float
    case double
    case string
    case bytes
    case enumeration(EnumType)
    case message(MessageType)
  }

  private let pointer: UnsafePointer<ProtobufCFieldDescriptor>

  fileprivate init(_ pointer: UnsafePointer<ProtobufCFieldDescriptor>) { self.pointer = pointer }

  /// As in the proto: "page_size".
  var name: String { String(cString: pointer.pointee.name) }
  var number: UInt32 { pointer.pointee.id }
  var isRepeated: Bool { pointer.pointee.label == PROTOBUF_C_LABEL_REPEATED }

  /// Fields with the same number belong to the same oneof: at most one of them is set.
  var oneof: UInt32? {
    pointer.pointee.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0 ? pointer.pointee.quantifier_offset : nil
  }

  var kind: Kind {
    switch pointer.pointee.type {
    case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_INT64: .signed
    case PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SINT64: .zigzag
    case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_UINT64: .unsigned
    case PROTOBUF_C_TYPE_BOOL: .bool
    case PROTOBUF_C_TYPE_FIXED32: .fixed(byteCount: 4, isSigned: false)
    case PROTOBUF_C_TYPE_SFIXED32: .fixed(byteCount: 4, isSigned: true)
    case PROTOBUF_C_TYPE_FIXED64: .fixed(byteCount: 8, isSigned: false)
    case PROTOBUF_C_TYPE_SFIXED64: .fixed(byteCount: 8, isSigned: true)
    case PROTOBUF_C_TYPE_FLOAT: .float
    case PROTOBUF_C_TYPE_DOUBLE: .double
    case PROTOBUF_C_TYPE_STRING: .string
    case PROTOBUF_C_TYPE_BYTES: .bytes
    case PROTOBUF_C_TYPE_ENUM:
      .enumeration(EnumType(pointer.pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)))
    case PROTOBUF_C_TYPE_MESSAGE:
      .message(MessageType(pointer.pointee.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)))
    default: preconditionFailure("protobuf-c has no other types")
    }
  }

  /// Whether the value has 32 bits.
  var is32Bits: Bool {
    [PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_UINT32].contains(pointer.pointee.type)
  }
}

struct EnumType {
  private let pointer: UnsafePointer<ProtobufCEnumDescriptor>

  fileprivate init(_ pointer: UnsafePointer<ProtobufCEnumDescriptor>) { self.pointer = pointer }

  var values: [(name: String, number: Int32)] {
    (0..<Int(pointer.pointee.n_values)).map {
      let value = pointer.pointee.values[$0]
      return (String(cString: value.name), value.value)
    }
  }
}
