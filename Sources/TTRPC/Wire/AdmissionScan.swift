// What every payload passes before protobuf-c sees it.
//
// protobuf-c alone is not safe on untrusted bytes: deep nesting overflows its stack, repeated singular sub-messages
// take quadratic time, a flood of tiny fields takes fifty times its size, and strings may hold anything. One linear
// pass over the wire, driven by protobuf-c's own descriptors, refuses all of these. A message type with recursion
// would pass only to `Limits.messageDepthMax`.

import CProtobufC

/// Checks encoded bytes against a message descriptor.
package struct AdmissionScan {
  /// Unknown fields still allowed in the payload, nested ones included. Known ones are bounded by the memory that they
  /// take: a list of small integers has two fields in four bytes.
  private var unknownFieldsLeft: Int

  /// Throws INVALID_ARGUMENT naming what is wrong.
  package static func check(_ bytes: UnsafeRawBufferPointer, _ descriptor: Descriptor) throws(RPCError) {
    var scan = AdmissionScan(unknownFieldsLeft: Limits.unknownFieldsBase + bytes.count / 8)
    try scan.message(bytes, descriptor.pointer, depth: 1)
  }

  private mutating func message(
    _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, depth: Int
  ) throws(RPCError) {
    guard depth <= Limits.messageDepthMax else { throw refusal("is nested too deep", descriptor) }
    var reader = WireReader(bytes)
    var seen: UInt64 = 0
    var next = 0
    while !reader.isAtEnd {
      guard let field = reader.next() else { throw refusal("is malformed", descriptor) }
      guard let index = Self.index(of: field.number, in: descriptor, from: next) else {
        unknownFieldsLeft -= 1
        guard unknownFieldsLeft >= 0 else { throw refusal("has too many unknown fields for its size", descriptor) }
        continue
      }
      next = index
      let expected = descriptor.pointee.fields + index
      switch expected.pointee.type {
      case PROTOBUF_C_TYPE_STRING:
        guard field.type == WireType.lengthDelimited else { throw refusal("is malformed", descriptor, expected) }
        guard UTF8Text.isValid(field.value) else { throw refusal("is not UTF-8 without NUL", descriptor, expected) }
      case PROTOBUF_C_TYPE_MESSAGE:
        guard field.type == WireType.lengthDelimited else { throw refusal("is malformed", descriptor, expected) }
        if expected.pointee.label != PROTOBUF_C_LABEL_REPEATED {
          let bit: UInt64 = 1 << UInt64(index)
          guard seen & bit == 0 else { throw refusal("appears twice", descriptor, expected) }
          seen |= bit
        }
        let inner = expected.pointee.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
        try message(field.value, inner, depth: depth + 1)
      default: continue
      }
    }
  }

  /// The field's index. Serialisers write fields in order, so the search starts where the last one was found.
  @inline(__always)
  private static func index(
    of number: UInt32, in descriptor: UnsafePointer<ProtobufCMessageDescriptor>, from start: Int
  ) -> Int? {
    // protobuf-c has no array for a message without fields.
    guard let fields = descriptor.pointee.fields else { return nil }
    let count = Int(descriptor.pointee.n_fields)
    for index in start..<max(start, count) where fields[index].id == number { return index }
    for index in 0..<min(start, count) where fields[index].id == number { return index }
    return nil
  }

  private func refusal(
    _ problem: String, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
    _ field: UnsafePointer<ProtobufCFieldDescriptor>? = nil
  ) -> RPCError {
    let message = String(cString: descriptor.pointee.name)
    let place = field.map { "field \(String(cString: $0.pointee.name)) of \(message)" } ?? message
    return RPCError(.invalidArgument, "\(place) \(problem): check the client's encoder")
  }
}
