// A client's calls without a socket: ids that run out, messages that nobody takes.

import TTRPC
import Testing

@Suite struct ClientSessionTests {
  @Test func idsAreOddAndRunOutBeforeTheyWrap() throws {
    var session = ClientSession()
    #expect(try [session.begin(.unary, []).id, session.begin(.unary, []).id] == [1, 3])
    var old = ClientSession(lastStream: UInt32.max - 1024)
    let hasIDsLeft = old.hasIDsLeft
    #expect(!hasIDsLeft)
    // Callers that have just asked may still begin.
    let id = try old.begin(.unary, []).id
    #expect(id % 2 == 1 && id > UInt32.max - 1024)
  }

  /// Go's servers put the last message there.
  @Test func theLastMessageOfAStreamMayComeInItsResponse() throws {
    var session = ClientSession()
    let call = try session.begin(.serverStream, [])
    var changed: [ClientCall] = []
    let response = Frame(stream: 1, type: .response, message: Field.bytes(2, [7, 8]))
    for frame in [Frame.data(1, [5, 6]), response] {
      _ = frame.bytes.withUnsafeBytes { session.receive($0, changed: &changed) }
    }
    #expect(call.takeMessage() == [5, 6])
    #expect(call.takeMessage() == [7, 8])
    guard case .success? = call.outcome else {
      Issue.record("the stream ended with \(String(describing: call.outcome))")
      return
    }
  }

  @Test func whatNobodyTakesIsBoundedInBytesAndNumber() throws {
    for message in [[UInt8](repeating: 0, count: 1000), []] {
      var session = ClientSession(waitingBytesMax: 100_000)
      let call = try session.begin(.serverStream, [])
      var frames = 0
      while call.outcome == nil && frames < 10_000 {
        var changed: [ClientCall] = []
        _ = Frame.data(1, message).bytes.withUnsafeBytes { session.receive($0, changed: &changed) }
        frames += 1
      }
      #expect(frames < 5_000)
      guard case .failure(let error)? = call.outcome else {
        Issue.record("no end after \(frames) messages")
        continue
      }
      #expect(error.code == .resourceExhausted)
      // The server is told.
      let output = Frame.all(Array(session.output.bytes))
      #expect(output.last == .cancel(1))
    }
  }
}
