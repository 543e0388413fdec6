// Every state of a client's call × every frame, against a table written from ttrpc's rules:
//
// - a response ends every call; data is for calls whose server streams;
// - data with remote-closed ends the stream, and holds a last message unless it has no-data;
// - frames after the end are ignored, as are unknown types; requests and cancels never come from a server.

import TTRPC
import Testing

@Suite struct ClientStreamStateTests {
  enum Expected: Equatable {
    case message
    case finish(message: Bool)
    case response
    case ignored
    case violation
  }

  static func expected(
    _ shape: StreamingShape, _ phase: ClientStreamState.Phase, _ type: UInt8, _ flags: UInt8, _ length: UInt32
  ) -> Expected {
    if phase == .ended { return .ignored }
    let serverStreams = shape == .serverStream || shape == .bidirectionalStream
    switch type {
    case 2: return .response
    case 1, 0x10: return .violation
    case 3 where !serverStreams: return .violation
    case 3:
      let noData = flags & 4 != 0
      if noData && length > 0 { return .violation }
      if flags & 1 != 0 { return .finish(message: !noData) }
      return noData ? .ignored : .message
    default: return .ignored
    }
  }

  private static func summary(_ action: ClientStreamState.Action) -> Expected {
    switch action {
    case .message: .message
    case .finish(let message): .finish(message: message)
    case .response: .response
    case .ignore: .ignored
    case .violation: .violation
    }
  }

  @Test(arguments: StreamingShape.allCases, ClientStreamState.Phase.allCases)
  func everyStateAndFrame(_ shape: StreamingShape, _ phase: ClientStreamState.Phase) {
    for type: UInt8 in [1, 2, 3, 0x10, 0, 4, 255] {
      for flags: UInt8 in 0...7 {
        for length: UInt32 in [0, 1] {
          var state = ClientStreamState(shape: shape, phase: phase)
          let header = FrameHeader(
            length: length, stream: 1, type: FrameType(rawValue: type), flags: FrameFlags(rawValue: flags))
          let expected = Self.expected(shape, phase, type, flags, length)
          let action = state.receive(header)
          #expect(Self.summary(action) == expected, "\(header)")
          switch expected {
          case .response, .finish: #expect(state.phase == .ended, "\(header)")
          case .message, .ignored, .violation: #expect(state.phase == phase, "\(header)")
          }
        }
      }
    }
  }

  @Test func aCallBeginsAsItsShapeSays() {
    let begin: [StreamingShape: (ClientStreamState.Phase, FrameFlags)] = [
      .unary: (.halfClosed, []), .serverStream: (.halfClosed, .remoteClosed),
      .clientStream: (.open, [.remoteOpen, .noData]),
      .bidirectionalStream: (.open, [.remoteOpen, .noData]),
    ]
    for (shape, (phase, flags)) in begin {
      let state = ClientStreamState(shape: shape)
      #expect(state.phase == phase)
      #expect(state.requestFlags == flags)
    }
  }

  @Test func closingIsSaidOnce() {
    var state = ClientStreamState(shape: .bidirectionalStream)
    var said = [state.close(), state.close()]
    state.abandon()
    #expect(state.phase == .ended)
    said.append(state.close())
    #expect(said == [true, false, false])
  }
}
