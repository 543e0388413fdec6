// The client's side of a call as a state machine without I/O.
//
//   open ──── last message sent ────►  halfClosed
//     │                                    │
//     └── response, or end of data ────────┴──►  ended

/// What a call's server may still send, and what its client may.
package struct ClientStreamState: Equatable {
  package enum Phase: Equatable, CaseIterable {
    /// Both may send. To `halfClosed` when the client closes, to `ended` when the server does.
    case open
    /// The client has sent everything. To `ended` when the server ends.
    case halfClosed
    /// Later frames are ignored. Final.
    case ended
  }

  package let shape: StreamingShape
  package private(set) var phase: Phase

  package init(shape: StreamingShape, phase: Phase? = nil) {
    self.shape = shape
    self.phase = phase ?? (shape.clientStreams ? .open : .halfClosed)
  }

  /// The flags of the request frame. If the client streams, that frame has no message, and the no-data flag says so:
  /// without it the Rust server would treat the empty payload as the first message.
  package var requestFlags: FrameFlags {
    switch shape {
    case .unary: []
    case .serverStream: .remoteClosed
    case .clientStream, .bidirectionalStream: [.remoteOpen, .noData]
    }
  }

  package enum Action: Equatable {
    /// One more message.
    case message
    /// The server has ended its stream successfully; `message` when the last frame held one.
    case finish(message: Bool)
    /// The frame is a ttrpc.Response: the call ends with it.
    case response
    case ignore
    /// The server broke the protocol: the call fails and is cancelled.
    case violation(String)
  }

  package mutating func receive(_ header: FrameHeader) -> Action {
    guard phase != .ended else { return .ignore }
    switch header.type {
    case .response:
      phase = .ended
      return .response
    case .data:
      guard shape.serverStreams else { return .violation("it sent data for a call that has a single response") }
      let hasMessage = !header.flags.contains(.noData)
      guard hasMessage || header.length == 0 else { return .violation("it sent data in a frame with the no-data flag") }
      guard header.flags.contains(.remoteClosed) else { return hasMessage ? .message : .ignore }
      phase = .ended
      return .finish(message: hasMessage)
    case .request, .cancel:
      return .violation("it sent a frame of type \(header.type.rawValue)")
    default:
      return .ignore
    }
  }

  /// Ends sending. False if it had ended before, or if the call has ended.
  package mutating func close() -> Bool {
    guard phase == .open else { return false }
    phase = .halfClosed
    return true
  }

  /// Cancels the call.
  package mutating func abandon() { phase = .ended }
}
