// The server's side of a call as a state machine without I/O.
//
//   request, remote open  ──►  open ──── data, remote closed ───►  halfClosed
//   request otherwise  ─────────────────────────────────────────►  halfClosed
//
// A stream that ends, because it is answered, cancelled or fails, is removed from the stream table and has no state.
// Source: https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md

/// What the client of a call may still send.
package struct ServerStreamState: Equatable {
  package enum Phase: Equatable, CaseIterable {
    /// The client may send data. To `halfClosed` by a frame with remoteClosed.
    case open
    /// The client has sent everything. Stays.
    case halfClosed
  }

  package private(set) var phase: Phase

  package init(phase: Phase) { self.phase = phase }

  /// Starts a call. Throws INVALID_ARGUMENT if the request's flags do not fit the method.
  package init(shape: StreamingShape, flags: FrameFlags) throws(RPCError) {
    switch (shape, flags.intersection([.remoteOpen, .remoteClosed])) {
    case (.unary, []), (.serverStream, .remoteClosed): phase = .halfClosed
    case (.clientStream, .remoteOpen), (.bidirectionalStream, .remoteOpen): phase = .open
    case (.clientStream, .remoteClosed), (.bidirectionalStream, .remoteClosed): phase = .halfClosed
    default:
      throw RPCError(
        .invalidArgument,
        "request flags 0x\(String(flags.rawValue, radix: 16)) do not fit a \(shape.words) method: send \(shape.wanted)")
    }
  }

  /// The meaning of a data frame.
  package enum Input: Equatable {
    case data(message: Bool, remoteClosed: Bool)
    case refused(RPCError)
  }

  package mutating func receive(dataWith flags: FrameFlags, length: UInt32) -> Input {
    guard phase == .open else {
      return .refused(
        RPCError(.invalidArgument, "data on a stream whose client has closed it: send none after closing"))
    }
    guard !flags.contains(.noData) || length == 0 else {
      return .refused(RPCError(.invalidArgument, "a data frame with the no-data flag holds \(length) bytes: send none"))
    }
    let closed = flags.contains(.remoteClosed)
    if closed { phase = .halfClosed }
    return .data(message: !flags.contains(.noData), remoteClosed: closed)
  }
}

extension StreamingShape {
  fileprivate var words: String {
    switch self {
    case .unary: "unary"
    case .clientStream: "client-streaming"
    case .serverStream: "server-streaming"
    case .bidirectionalStream: "bidirectional-streaming"
    }
  }

  fileprivate var wanted: String {
    switch self {
    case .unary: "0"
    case .serverStream: "0x1 (remote closed)"
    case .clientStream, .bidirectionalStream: "0x2 (remote open)"
    }
  }
}
