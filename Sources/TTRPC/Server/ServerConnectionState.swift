// The server's side of a connection as a state machine without I/O: what each frame means, given the stream table.

/// Decides what the frames of a connection mean.
package struct ServerConnectionState {
  /// The highest stream id of a request so far; 0 before the first.
  package private(set) var lastStream: UInt32 = 0

  package init() {}

  package enum Action: Equatable {
    /// A new call. It enters the stream table unless it ends at once.
    case begin
    /// A message, or the end of messages, or both, for an open stream.
    case deliver(message: Bool, remoteClosed: Bool)
    /// The client cancelled the open stream: end it without a reply.
    case cancel
    /// Reply with an error on this id, which ends an open stream.
    case refuse(RPCError)
    /// Reply with an error on this id; the connection accepts no more calls.
    case exhausted(RPCError)
    /// Nothing to do.
    case ignore
  }

  /// Whether the frame starts a call, like nearly all frames. `receive` would give the same result.
  @inline(__always)
  package mutating func begins(_ header: FrameHeader) -> Bool {
    guard header.type == .request, header.stream & 1 == 1, header.stream > lastStream else { return false }
    lastStream = header.stream
    return true
  }

  /// - Parameter stream: the state of the frame's stream if it is open, otherwise nil.
  package mutating func receive(_ header: FrameHeader, stream: inout ServerStreamState?) -> Action {
    let id = header.stream
    guard id & 1 == 1 else {
      return .refuse(RPCError(.invalidArgument, "stream id \(id) is even: a client's ids are odd"))
    }
    if begins(header) { return .begin }
    switch header.type {
    case .request where lastStream == .max:
      return .exhausted(
        RPCError(.unavailable, "all stream ids of this connection are used up: connect again, calls under way will end")
      )
    case .request:
      return .refuse(
        RPCError(.invalidArgument, "stream id \(id) was used before: ids increase, the last was \(lastStream)"))
    case .data:
      return onStream(id, &stream) { state in
        switch state.receive(dataWith: header.flags, length: header.length) {
        case .data(let message, let remoteClosed): .deliver(message: message, remoteClosed: remoteClosed)
        case .refused(let error): .refuse(error)
        }
      }
    case .cancel:
      return onStream(id, &stream) { _ in
        header.length == 0 ? .cancel : .refuse(RPCError(.invalidArgument, "a cancel frame holds bytes: send none"))
      }
    case .response:
      return onStream(id, &stream) { _ in
        .refuse(RPCError(.invalidArgument, "a response came from the client: only servers send frames of type 2"))
      }
    default:
      return .ignore
    }
  }

  /// Frames for an id that was open and has ended are late, not wrong.
  private func onStream(
    _ id: UInt32, _ stream: inout ServerStreamState?, _ body: (inout ServerStreamState) -> Action
  ) -> Action {
    if stream != nil { return body(&stream!) }
    if id <= lastStream { return .ignore }
    return .refuse(RPCError(.invalidArgument, "stream \(id) was never opened: begin with a request frame"))
  }
}
