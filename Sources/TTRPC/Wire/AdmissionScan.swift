// Checks every payload before protobuf-c parses it.
//
// protobuf-c alone is not safe with untrusted bytes: deep nesting overflows its stack, singular sub-messages that
// appear repeatedly take quadratic time, many tiny fields use fifty times their size, and strings may contain anything.
// One linear pass, driven by protobuf-c's descriptors, refuses all of these. Recursive message types are limited to
// `Limits.messageDepthMax`.

import CProtobufC

/// Checks encoded bytes against a message descriptor.
package struct AdmissionScan {
  /// How many more unknown fields are allowed in the payload, including nested ones. Known fields are limited by the
  /// memory that they need: a list of small integers has two fields in four bytes.
  private var unknownFieldsLeft: Int

  /// Throws INVALID_ARGUMENT with the field and the problem.
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
