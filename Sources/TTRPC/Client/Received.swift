// A message from the server, with the memory that it lives in.

/// Owns one unpacked message.
public final class Received<Message: ProtobufMessage> {
  private let arena: Arena
  private let message: UnsafePointer<Message>

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

  /// Lends the message, which must not be kept. A pointer by itself would not keep this object alive: Swift may release
  /// it after its last use.
  public func read<Result, Failure: Error>(
    _ body: (UnsafePointer<Message>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(message)
  }
}
