// A whole frame among received bytes, and what can be known of it before its turn.
//
// A session looks at each frame while the one before it is still to be handled: what the call will read can be on its way
// from memory meanwhile.

/// Valid while the bytes are.
struct Arrival {
  let header: FrameHeader
  let message: UnsafeRawBufferPointer
  /// Where the next frame begins.
  let end: Int
  /// Of a frame that can begin a call and names a method that there is.
  private(set) var method: Unmanaged<Method>?
  /// What the call sends, if there is a method.
  private(set) var payload = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Nanoseconds; 0 = no deadline, negative = already expired.
  private(set) var timeoutNanos: Int64 = 0
  private(set) var metadata = Metadata.none

  /// The frame is over the limit: there is no message.
  var isTooLong: Bool { header.length > Limits.frameBytesMax }

  /// nil when the frame is not complete.
  @inline(__always)
  init?(in bytes: UnsafeRawBufferPointer, at offset: Int, _ router: borrowing Router) {
    guard let start = bytes.baseAddress else { return nil }
    switch FrameDecoding.decode(UnsafeRawBufferPointer(start: start + offset, count: bytes.count - offset)) {
    case .incomplete: return nil
    case .tooLong(let header):
      self.header = header
      message = UnsafeRawBufferPointer(start: nil, count: 0)
      end = offset
    case .frame(let header):
      self.header = header
      message = UnsafeRawBufferPointer(start: start + offset + FrameHeader.byteCount, count: Int(header.length))
      end = offset + FrameHeader.byteCount + message.count
      if header.type == .request { read(router) }
    }
  }

  @inline(__always)
  private mutating func read(_ router: borrowing Router) {
    do throws(RPCError) {
      let envelope = try RequestEnvelope(uncheckedNames: message)
      method = try router.method(service: envelope.service, envelope.method)
      payload = envelope.payload
      timeoutNanos = envelope.timeoutNanos
      metadata = envelope.metadata
    } catch {
      // Said in its turn, by `problem`.
    }
  }

  /// Why there is no method.
  func problem(_ router: Router) -> RPCError {
    do throws(RPCError) {
      let envelope = try RequestEnvelope(message)
      _ = try router.method(service: envelope.service, envelope.method)
      return RPCError(.internal, "the frame could not be read")
    } catch {
      return error
    }
  }

  /// The frame is the next one.
  @inline(__always)
  func approach() {
    method?._withUnsafeGuaranteedRef { $0.approach?(payload) }
  }
}
