// The flags that a request may have, for each shape of method.

import TTRPC
import Testing

@Suite struct ServerStreamStateTests {
  /// Phase by shape and by the two flags that matter; what is not here is INVALID_ARGUMENT.
  private static let legal: [StreamingShape: [UInt8: ServerStreamState.Phase]] = [
    .unary: [0: .halfClosed],
    .serverStream: [1: .halfClosed],
    .clientStream: [1: .halfClosed, 2: .open],
    .bidirectionalStream: [1: .halfClosed, 2: .open],
  ]

  @Test(arguments: StreamingShape.allCases)
  func requestFlags(_ shape: StreamingShape) throws {
    for flags: UInt8 in 0...7 {
      let expected = try #require(Self.legal[shape])[flags & 3]
      do {
        let state = try ServerStreamState(shape: shape, flags: FrameFlags(rawValue: flags))
        #expect(state.phase == expected, "flags \(flags)")
      } catch {
        #expect(expected == nil && error.code == .invalidArgument, "flags \(flags): \(error)")
        #expect(error.message.contains("0x\(flags) "))
      }
    }
  }

  @Test func dataAfterTheClientClosedIsRefusedAndChangesNothing() {
    var state = ServerStreamState(phase: .open)
    let first = state.receive(dataWith: .remoteClosed, length: 3)
    #expect(first == .data(message: true, remoteClosed: true))
    guard case .refused(let error) = state.receive(dataWith: [], length: 3) else {
      Issue.record("data after the end was taken")
      return
    }
    #expect(error.code == .invalidArgument)
    #expect(state.phase == .halfClosed)
  }
}
