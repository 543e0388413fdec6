// A message from the server, with the memory that it lives in.

/// Owns one unpacked message.
public final class Received<Message: ProtobufMessage> {
  private let arena: Arena
  /// Valid as long as this object.
  public let message: UnsafePointer<Message>

  init(_ bytes: [UInt8]) throws(RPCError) {
    let arena = Arena(chunkBytes: 1024)
    self.arena = arena
    message = try bytes.withUnsafeBufferPointer { (bytes) throws(RPCError) in
      do throws(RPCError) {
        return try arena.unpack(Message.self, UnsafeRawBufferPointer(bytes))
      } catch {
        throw RPCError(.internal, "the server's \(Message.descriptor.name) cannot be read: \(error.message)")
      }
    }
  }
}
