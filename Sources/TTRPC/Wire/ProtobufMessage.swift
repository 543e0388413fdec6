// protobuf-c's message structs in Swift.

import CProtobufC

/// A message type's descriptor. Made by generated code from an initialised message, because the address of an
/// imported C global is that of a copy.
public struct Descriptor: @unchecked Sendable {
  public let pointer: UnsafePointer<ProtobufCMessageDescriptor>

  public init(_ pointer: UnsafePointer<ProtobufCMessageDescriptor>) {
    // The admission scan keeps one bit a field.
    precondition(pointer.pointee.n_fields <= 64, "a message may have 64 fields")
    self.pointer = pointer
  }

  /// "twind.v1.Twin"
  public var name: String { String(cString: pointer.pointee.name) }
}

/// A structure that protoc-c generated: its first member is a ProtobufCMessage.
public protocol ProtobufMessage: SendableMetatype {
  static var descriptor: Descriptor { get }
}

extension UnsafePointer where Pointee: ProtobufMessage {
  /// The message's encoded bytes.
  public func encoded() -> [UInt8] {
    withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { message in
      let count = protobuf_c_message_get_packed_size(message)
      // All empty arrays are one object, and initializing one without bytes would write to it: a race between threads.
      if count == 0 { return [] }
      return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        initialized = protobuf_c_message_pack(message, buffer.baseAddress)
      }
    }
  }

  /// How many bytes `pack` writes.
  public var packedByteCount: Int {
    withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { protobuf_c_message_get_packed_size($0) }
  }

  /// Writes the encoded message.
  public func pack(to bytes: UnsafeMutableRawPointer) {
    _ = withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { message in
      protobuf_c_message_pack(message, bytes.assumingMemoryBound(to: UInt8.self))
    }
  }
}

extension UnsafeMutablePointer where Pointee: ProtobufMessage {
  public func encoded() -> [UInt8] { UnsafePointer(self).encoded() }
}
