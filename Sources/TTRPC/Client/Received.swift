// A message from the server, with its memory.

/// Owns an unpacked message.
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
        throw RPCError(.internal, "cannot decode the server's \(Message.descriptor.name): \(error.message)")
      }
    }
  }

  /// Passes the message to `body`, which must not keep the pointer: the message is freed with this object, which Swift
  /// may release after its last use.
  public func read<Result, Failure: Error>(
    _ body: (UnsafePointer<Message>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(message)
  }
}
