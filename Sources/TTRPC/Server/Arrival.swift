// Looks ahead at the next complete frame.
//
// A session looks at each frame before it handles the previous one, so that the data that the call will read can be
// prefetched from memory.

/// A complete frame. Valid as long as the bytes.
struct Arrival {
  let header: FrameHeader
  let message: UnsafeRawBufferPointer
  /// Where the next frame begins.
  let end: Int
  /// The method, if the frame can start a call and the method exists.
  private(set) var method: Unmanaged<Method>?
  /// The request, if there is a method.
  private(set) var payload = UnsafeRawBufferPointer(start: nil, count: 0)
  /// In nanoseconds; 0: no deadline; negative: already expired.
  private(set) var timeoutNanos: Int64 = 0
  private(set) var metadata = Metadata.none

  /// Whether the frame exceeds the limit, so that it has no message.
  var isTooLong: Bool { header.length > Limits.frameBytesMax }

  /// nil if the frame is not complete.
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
