// A client's connection without its socket: received bytes go in, frames to send come out.

import CTTRPCProto

/// The calls of a connection. Protected by the channel's lock.
package struct ClientSession: ~Copyable {
  /// How many bytes of a stream may wait to be read. Above it the call is cancelled.
  private let waitingBytesMax: Int
  /// Stream ids from here on are not used: the client reconnects before that.
  static let lastStreamMax = UInt32.max - 1024

  private(set) var lastStream: UInt32
  private var calls: [UInt32: ClientCall] = [:]
  /// Frames to send.
  package var output = SendBuffer()

  package init(lastStream: UInt32 = 0, waitingBytesMax: Int = 64 << 20) {
    self.lastStream = lastStream
    self.waitingBytesMax = waitingBytesMax
  }

  package var hasIDsLeft: Bool { lastStream < Self.lastStreamMax }

  /// Starts a call. Its frame is added to the output.
  package mutating func begin(_ shape: StreamingShape, _ envelope: [UInt8]) throws(RPCError) -> ClientCall {
    guard envelope.count <= Limits.frameBytesMax else {
      throw RPCError(
        .resourceExhausted,
        "the request of \(envelope.count) bytes exceeds the limit of \(Limits.frameBytesMax) (frameBytesMax): split it"
      )
    }
    let id = (lastStream + 1) | 1
    lastStream = id
    let call = ClientCall(id: id, shape: shape)
    calls[id] = call
    append(
      FrameHeader(length: UInt32(envelope.count), stream: id, type: .request, flags: call.state.requestFlags), envelope)
    return call
  }

  mutating func send(_ call: ClientCall, _ message: [UInt8]) throws(RPCError) {
    if case .failure(let error)? = call.outcome { throw error }
    guard call.state.phase == .open else {
      throw RPCError(.failedPrecondition, "cannot send on this call: it is closed for sending, or has ended")
    }
    guard message.count <= Limits.frameBytesMax else {
      throw RPCError(
        .resourceExhausted, "a message of \(message.count) bytes is over \(Limits.frameBytesMax) (frameBytesMax)")
    }
    append(FrameHeader(length: UInt32(message.count), stream: call.id, type: .data), message)
  }

  /// Ends sending, with a frame of its own.
  mutating func close(_ call: ClientCall) {
    guard call.state.close() else { return }
    append(FrameHeader(length: 0, stream: call.id, type: .data, flags: [.remoteClosed, .noData]), [])
  }

  /// Cancels the call, and tells the server.
  mutating func cancel(_ call: ClientCall, _ error: RPCError) {
    guard calls.removeValue(forKey: call.id) != nil else { return }
    call.end(.failure(error))
    append(FrameHeader(length: 0, stream: call.id, type: .cancel), [])
  }

  /// Fails every call, since the connection is lost.
  mutating func fail(_ error: RPCError) -> [ClientCall] {
    let failed = calls.values.sorted { $0.id < $1.id }
    calls.removeAll()
    for call in failed { call.end(.failure(error)) }
    return failed
  }

  /// Handles the complete frames at the beginning of the bytes.
  ///
  /// - Parameter changed: the calls for which something arrived.
  /// - Returns: how many bytes were handled; nil if the server's frames cannot be parsed.
  package mutating func receive(_ bytes: UnsafeRawBufferPointer, changed: inout [ClientCall]) -> Int? {
    var offset = 0
    while offset < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
      switch FrameDecoding.decode(rest) {
      case .incomplete: return offset
      case .tooLong: return nil
      case .frame(let header):
        let end = FrameHeader.byteCount + Int(header.length)
        if let call = calls[header.stream] {
          handle(header, UnsafeRawBufferPointer(rebasing: rest[FrameHeader.byteCount..<end]), call)
          if changed.last !== call { changed.append(call) }
        }
        offset += end
      }
    }
    return offset
  }

  private mutating func handle(_ header: FrameHeader, _ message: UnsafeRawBufferPointer, _ call: ClientCall) {
    switch call.state.receive(header) {
    case .message:
      call.received(message)
      if call.waitingBytes > waitingBytesMax {
        cancel(
          call,
          RPCError(
            .resourceExhausted,
            "more than \(waitingBytesMax) bytes of messages are waiting to be read (waitingBytesMax): read faster"
          ))
      }
    case .finish(let hasMessage):
      if hasMessage { call.received(message) }
      end(call, .success([]))
    case .response:
      let outcome = Self.outcome(of: message)
      // A server may put the last message of its stream here.
      if call.state.shape.serverStreams, case .success(let payload) = outcome {
        if !payload.isEmpty { payload.withUnsafeBytes { call.received($0) } }
        end(call, .success([]))
      } else {
        end(call, outcome)
      }
    case .ignore:
      return
    case .violation(let problem):
      cancel(call, RPCError(.internal, "the server violated the protocol: \(problem)"))
    }
  }

  private mutating func end(_ call: ClientCall, _ result: Result<[UInt8], RPCError>) {
    calls.removeValue(forKey: call.id)
    call.end(result)
  }

  private mutating func append(_ header: FrameHeader, _ message: [UInt8]) {
    let frame = output.append(FrameHeader.byteCount + message.count)
    header.write(to: frame)
    message.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress {
        (frame + FrameHeader.byteCount).copyMemory(from: source, byteCount: bytes.count)
      }
    }
  }

  private static func outcome(of bytes: UnsafeRawBufferPointer) -> Result<[UInt8], RPCError> {
    do {
      let envelope = try ResponseEnvelope(bytes)
      if let error = envelope.error { return .failure(error) }
      return .success([UInt8](envelope.payload))
    } catch {
      return .failure(error)
    }
  }
}
