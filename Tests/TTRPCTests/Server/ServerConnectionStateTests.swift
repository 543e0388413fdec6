// Every state of a server's connection and stream × every frame, against a table written from ttrpc's rules:
//
// - an id is odd; a request's is higher than every one before; anything else is INVALID_ARGUMENT on that id;
// - data and cancel (and a response, which no client may send) for an id that was open and has ended are dropped, for
//   one that was never opened they are INVALID_ARGUMENT on that id;
// - data is for a stream whose client has not closed it; a no-data frame holds nothing; a cancel holds nothing;
// - unknown types on an odd id are ignored.

import TTRPC
import Testing

@Suite struct ServerConnectionStateTests {
  /// Where a frame's id stands when 5 was the last that a request came on.
  enum Identity: UInt32, CaseIterable {
    case zero = 0
    case even = 4
    case evenAndNew = 8
    case ended = 3
    case last = 5
    case new = 7
    case largest = 0xffff_ffff
  }

  enum Expected: Equatable {
    case begin
    case deliver(message: Bool, remoteClosed: Bool)
    case cancel
    case refused
    case ignored
  }

  static let types: [UInt8] = [1, 2, 3, 0x10, 0, 4, 255]
  static let lengths: [UInt32] = [0, 1, 4 << 20]

  /// What the rules say. `phase` is that of the frame's stream, nil when it is not open.
  static func expected(
    _ identity: Identity, _ phase: ServerStreamState.Phase?, _ type: UInt8, _ flags: UInt8, _ length: UInt32
  ) -> Expected {
    let isOdd = identity.rawValue % 2 == 1
    let wasOpened = identity.rawValue <= 5
    guard isOdd else { return .refused }
    switch (type, phase) {
    case (1, _): return wasOpened ? .refused : .begin
    case (2, nil), (3, nil), (0x10, nil): return wasOpened ? .ignored : .refused
    case (2, _): return .refused
    case (0x10, _): return length == 0 ? .cancel : .refused
    case (3, .halfClosed): return .refused
    case (3, .open):
      let noData = flags & 4 != 0
      if noData && length > 0 { return .refused }
      return .deliver(message: !noData, remoteClosed: flags & 1 != 0)
    default: return .ignored
    }
  }

  private static func summary(_ action: ServerConnectionState.Action) -> Expected {
    switch action {
    case .begin: .begin
    case .deliver(let message, let remoteClosed): .deliver(message: message, remoteClosed: remoteClosed)
    case .cancel: .cancel
    case .exhausted: .refused
    case .refuse(let error): error.code == .invalidArgument ? .refused : .ignored
    case .ignore: .ignored
    }
  }

  /// A connection whose last request came on id 5.
  private static func connection() -> ServerConnectionState {
    var connection = ServerConnectionState()
    for id: UInt32 in [1, 3, 5] {
      var none: ServerStreamState?
      _ = connection.receive(FrameHeader(length: 0, stream: id, type: .request), stream: &none)
    }
    return connection
  }

  @Test(arguments: Identity.allCases)
  func everyStateAndFrame(_ identity: Identity) {
    let isOpenable = identity == .ended || identity == .last
    let phases = isOpenable ? [nil] + ServerStreamState.Phase.allCases.map(Optional.some) : [nil]
    for phase in phases {
      for type in Self.types {
        for flags: UInt8 in 0...7 {
          for length in Self.lengths { check(identity, phase, type, flags, length) }
        }
      }
    }
  }

  private func check(
    _ identity: Identity, _ phase: ServerStreamState.Phase?, _ type: UInt8, _ flags: UInt8, _ length: UInt32
  ) {
    var connection = Self.connection()
    var stream = phase.map { ServerStreamState(phase: $0) }
    let header = FrameHeader(
      length: length, stream: identity.rawValue, type: FrameType(rawValue: type), flags: FrameFlags(rawValue: flags))
    let action = connection.receive(header, stream: &stream)
    let expected = Self.expected(identity, phase, type, flags, length)
    #expect(Self.summary(action) == expected, "\(header) while \(String(describing: phase)): \(action)")
    #expect(connection.lastStream == (expected == .begin ? identity.rawValue : 5), "\(header)")
    // Only a frame that closes the client's side changes a stream.
    if case .deliver(_, remoteClosed: true) = expected {
      #expect(stream?.phase == .halfClosed, "\(header)")
    } else {
      #expect(stream?.phase == phase, "\(header)")
    }
  }

  @Test func theFirstRequestMayHaveAnyOddID() {
    for id: UInt32 in [1, 3, 99, .max] {
      var connection = ServerConnectionState()
      var none: ServerStreamState?
      let action = connection.receive(FrameHeader(length: 0, stream: id, type: .request), stream: &none)
      #expect(action == .begin)
    }
  }
}
