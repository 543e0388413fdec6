// How a connection ends for a reason: the client gets to know it, and calls under way get their answers.

import EchoService
import Glibc
import TTRPC
import Testing
import Threads

@Suite struct ClosingTests {
  private static let tooLong: [UInt8] = [0x00, 0x50, 0, 0, 0, 0, 0, 3, 1, 0]

  /// Closed with input unread, the reason would be lost to whoever still writes.
  @Test func theReasonReachesAClientThatStillWrites() throws {
    let server = try TestServer.echo()
    for _ in 0..<20 {
      let peer = try RawPeer(server.path)
      let sender = Thread(name: "sender") {
        peer.send(Self.tooLong + [UInt8](repeating: 7, count: 5 << 20))
      }
      let answer = try #require(peer.receive())
      #expect(answer.stream == 3 && answer.code == .resourceExhausted)
      #expect(answer.error?.message.contains("frameBytesMax") == true)
      #expect(peer.receive() == nil)
      sender.join()
    }
    #expect(server.settles { $0.connections == 0 })
  }

  @Test func theCallBesideAnOversizedFrameIsAnswered() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    peer.send(
      .request(1, "Sleep", EchoMessage("slept", sleepMillis: 200).encoded))
    peer.send(Self.tooLong + [UInt8](repeating: 7, count: 100_000))
    #expect(peer.receive()?.code == .resourceExhausted)
    let answer = try #require(peer.receive())
    #expect(answer.stream == 1 && answer.text == "slept")
    #expect(peer.isClosedByServer())
  }

  @Test func aStreamBesideAnOversizedFrameIsToldWhy() {
    let harness = SessionHarness.echo()
    harness.exchange(
      .request(1, "EchoStream", flags: .remoteOpen), .request(5, "Sleep", EchoMessage(sleepMillis: 60_000).encoded))
    harness.receive(Self.tooLong)
    let answers = harness.output()
    #expect(answers.map(\.stream) == [3, 1] && answers.map(\.code) == [.resourceExhausted, .unavailable])
    #expect(answers[1].error?.message.contains("frameBytesMax") == true)
    #expect(harness.session.isDeaf && !harness.session.isClosing)
    // What comes now is thrown away.
    #expect(harness.exchange(.request(7, "Echo"), .cancel(5)) == [])
    #expect(harness.session.tick(now: .max - 1) == .max)
    #expect(harness.session.isDeaf)
  }

  @Test func theCallBesideALateFrameIsAnswered() throws {
    var limits = Limits()
    limits.frameNanosMax = 50_000_000
    let server = try TestServer.echo(limits: limits)
    let peer = try RawPeer(server.path)
    peer.send(.request(1, "Sleep", EchoMessage("slept", sleepMillis: 80).encoded))
    peer.send(Array(Frame.request(3, "Echo").bytes.dropLast()))
    let late = try #require(peer.receive())
    #expect(late.stream == 3 && late.code == .deadlineExceeded)
    #expect(peer.receive()?.text == "slept")
    #expect(peer.isClosedByServer())
  }

  /// A call that does not end keeps the connection no longer than a frame may take.
  @Test func aCallThatDoesNotEndIsNotWaitedForForEver() throws {
    var limits = Limits()
    limits.frameNanosMax = 50_000_000
    let server = try TestServer.echo(limits: limits)
    let peer = try RawPeer(server.path)
    peer.send(.request(1, "Sleep", EchoMessage(sleepMillis: 60_000).encoded))
    peer.send(Self.tooLong)
    #expect(peer.receive()?.code == .resourceExhausted)
    #expect(peer.isClosedByServer())
  }

  /// After 2^31 calls Go's ids begin again at 1.
  @Test func usedUpIDsEndTheConnection() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    peer.send(.request(.max, "Echo", EchoMessage("last").encoded), .request(1, "Echo", EchoMessage("again").encoded))
    #expect(peer.receive()?.text == "last")
    let answer = try #require(peer.receive())
    #expect(answer.stream == 1 && answer.code == .unavailable)
    #expect(answer.error?.message.contains("connect again") == true)
    #expect(peer.isClosedByServer())
    // The remedy.
    let next = try RawPeer(server.path)
    next.send(.request(1, "Echo", EchoMessage("again").encoded))
    #expect(next.receive()?.text == "again")
  }

  @Test func streamsLeftBehindDoNotKeepCallsOut() {
    let harness = SessionHarness.echo()
    for index: UInt32 in 0..<128 { harness.exchange(.request(2 * index + 1, "EchoStream", flags: .remoteOpen)) }
    #expect(harness.exchange(.request(257, "EchoStream", flags: .remoteOpen)).map(\.code) == [.resourceExhausted])
    for index: UInt32 in 0..<128 {
      #expect(harness.exchange(.request(2 * index + 259, "Sleep", EchoMessage(sleepMillis: 60_000).encoded)) == [])
    }
    let refused = harness.exchange(.request(515, "Sleep", EchoMessage(sleepMillis: 60_000).encoded))
    #expect(refused.map(\.code) == [.resourceExhausted])
    #expect(harness.session.streamCount == 256)
  }

  @Test(arguments: [
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /x HTTP/1.1\r\n\r\n",
  ]) func whoSpeaksSomethingElseIsTold(opening: String) throws {
    let told = Told()
    var router = Router()
    router.serveEcho()
    let server = try TestServer(router, onForeignProtocol: { sentence, _ in told.note(sentence) })
    let peer = try RawPeer(server.path)
    peer.send(Array(opening.utf8))
    let text = String(decoding: peer.all(), as: UTF8.self)
    #expect(text.contains("this socket speaks ttrpc, not gRPC or HTTP"))
    #expect(opening.hasPrefix("PRI") != text.hasPrefix("HTTP/1.1 400"))
    #expect(told.sentences == [ForeignProtocol.sentence])
  }
}

private final class Told: @unchecked Sendable {
  private let lock = Lock()
  private var told: [String] = []

  func note(_ sentence: String) { lock.withLock { told.append(sentence) } }
  var sentences: [String] { lock.withLock { told } }
}
