// A server on a real socket, with clients that are many, slow, silent or dead.

import CLinux
import EchoService
import Glibc
import InteropRoutes
import TTRPC
import Threads
import Testing

@Suite struct ServerTests {
  private static let big = EchoMessage("big", payload: [UInt8](repeating: 7, count: 64 << 10)).encoded

  /// Requests one after the other, as a client that pipelines sends them.
  private static func requests(_ ids: some Sequence<UInt32>, _ payload: [UInt8]) -> [UInt8] {
    ids.flatMap { Frame.request($0, "Echo", payload).bytes }
  }

  private static func oddIDs(_ count: Int) -> StrideTo<UInt32> { stride(from: 1, to: UInt32(2 * count), by: 2) }

  @Test func oneByteAtATime() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    for byte in Frame.request(1, "Echo", EchoMessage("slow").encoded).bytes { peer.send([byte]) }
    #expect(peer.receive()?.text == "slow")
  }

  @Test func aBurstLargerThanTheOutputsLimitIsAnsweredToTheEnd() throws {
    var limits = Limits()
    limits.sendBytesPerConnectionMax = 4 << 10
    let server = try TestServer.echo(limits: limits)
    let peer = try RawPeer(server.path)
    peer.send(Self.requests(Self.oddIDs(400), EchoMessage("x", payload: [UInt8](repeating: 1, count: 100)).encoded))
    for id in Self.oddIDs(400) { try #require(peer.receive()?.stream == id) }
  }

  @Test func aClientThatStopsReadingIsBoundedAndHarmsNobody() throws {
    let server = try TestServer.echo()
    let stuck = try RawPeer(server.path)
    let sender = Thread(name: "stuck") { [requests = Self.requests(Self.oddIDs(200), Self.big)] in stuck.send(requests)
    }
    #expect(server.settles { $0.bufferBytes > 1 << 20 })
    let client = Client(path: server.path)
    let took = try seconds {
      for index in 0..<200 {
        let reply = try client.call(EchoRoutes.echo, EchoMessage("\(index)"))
        #expect(reply.text == "\(index)")
      }
    }
    #expect(took < 5)
    let statistics = server.server.statistics()
    // One reply over the limit, as memory that doubles, and the requests that wait behind it.
    #expect(statistics.bufferBytes < (5 << 20) + Limits.queuedBytesMax)
    // It wakes up, and nothing is lost.
    for id in Self.oddIDs(200) { try #require(stuck.receive()?.stream == id) }
    sender.join()
    #expect(server.settles { $0.bufferBytes == 0 })
  }

  /// As containerd's Go client 1.2.3: its writer holds a lock that its reader needs.
  @Test func requestsAreReadWhileRepliesWait() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    // 4 MB of replies, and 3 MB of requests written before the first is read: past every buffer of the socket.
    peer.send(Self.requests(Self.oddIDs(64), Self.big))
    for id in Self.oddIDs(64) {
      let reply = try #require(peer.receive())
      #expect(reply.stream == id && reply.code == .ok)
    }
  }

  @Test func pastTheQueueCallsAreRefusedOneByOne() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    // 19 MB: more than socket, replies and queue hold.
    peer.send(Self.requests(Self.oddIDs(300), Self.big))
    let codes = try Self.oddIDs(300).map { id in
      let reply = try #require(peer.receive())
      #expect(reply.stream == id)
      if reply.code == .resourceExhausted { #expect(reply.error?.message.contains("queuedBytesMax") == true) }
      return reply.code
    }
    #expect(codes.contains(.ok) && codes.contains(.resourceExhausted))
    #expect(codes.count { $0 != .ok && $0 != .resourceExhausted } == 0)
    peer.send(.request(999, "Echo", EchoMessage("on").encoded))
    #expect(peer.receive()?.text == "on")
  }

  @Test func clientsThatDieMidReplyLeaveNothing() throws {
    let server = try TestServer.echo()
    for round in 0..<12 {
      let peer = try RawPeer(server.path)
      // Replies past the socket's buffer, then a half frame, then death.
      peer.send(Self.requests(Self.oddIDs(8), Self.big))
      if round % 2 == 0 { peer.send(Array(Frame.request(99, "Echo", Self.big).bytes.prefix(30_000))) }
      if round % 3 == 0 { peer.send(.request(101, "Sleep", EchoMessage(sleepMillis: 60_000).encoded)) }
      if round % 4 == 0 { _ = peer.receive() }
    }
    #expect(server.settles { $0.connections == 0 && $0.streams == 0 && $0.bufferBytes == 0 })
  }

  @Test func halfAFrameAndSilence() throws {
    var limits = Limits()
    limits.frameNanosMax = 200_000_000
    let server = try TestServer.echo(limits: limits)
    let quiet = try RawPeer(server.path)
    let half = try RawPeer(server.path)
    let header = try RawPeer(server.path)
    let trickle = try RawPeer(server.path)
    let frame = Frame.request(1, "Echo", EchoMessage("late").encoded).bytes
    header.send(Array(frame.prefix(5)))
    half.send(Array(frame.prefix(15)))
    trickle.send(Array(frame.prefix(12)))
    let pump = Thread(name: "trickle") { for byte in frame[12...] where trickle.send([byte]) { usleep(50_000) } }
    #expect(half.receive()?.code == .deadlineExceeded)
    #expect(half.isClosedByServer())
    // Without a whole header there is no call to answer.
    #expect(header.isClosedByServer())
    #expect(trickle.receive()?.code == .deadlineExceeded)
    pump.join()
    // Between frames a connection may be quiet for ever.
    quiet.send(.request(1, "Echo", EchoMessage("still here").encoded))
    #expect(quiet.receive()?.text == "still here")
  }

  @Test func halfAFrameBehindRepliesThatNobodyReads() throws {
    var limits = Limits()
    limits.frameNanosMax = 200_000_000
    let server = try TestServer.echo(limits: limits)
    let peer = try RawPeer(server.path)
    // More than the socket's buffer and less than what pauses the connection.
    peer.send(Self.requests(Self.oddIDs(10), Self.big) + Frame.request(99, "Echo", Self.big).bytes.prefix(100))
    // The connection ends in bounded time although its output cannot be sent, and others do not notice.
    let client = Client(path: server.path)
    usleep(300_000)
    #expect(try client.call(EchoRoutes.echo, EchoMessage("on"), timeout: .seconds(5)).text == "on")
    #expect(server.settles { $0.connections == 1 && $0.bufferBytes == 0 })
  }

  @Test func moreConnectionsThanTheLimit() throws {
    raiseDescriptorLimit()
    var limits = Limits()
    // None of them has to go.
    limits.silentNanosMin = .max
    let server = try TestServer.echo(limits: limits, reactors: 2)
    var peers = try (0..<1024).map { _ in try RawPeer(server.path) }
    #expect(server.settles { $0.connections == 1024 })
    let refused = try #require(try RawPeer(server.path).receive())
    #expect(refused.stream == 1 && refused.code == .resourceExhausted)
    #expect(refused.error?.message.contains("connectionsMax") == true)
    // A client gets the reason whether it has sent its call before it was refused or not.
    for _ in 0..<20 {
      let error = #expect(throws: RPCError.self) { try Client(path: server.path).call(EchoRoutes.echo, EchoMessage()) }
      #expect(error?.code == .resourceExhausted, "\(String(describing: error))")
    }
    for (index, peer) in peers.enumerated() { peer.send(.request(1, "Echo", EchoMessage("\(index)").encoded)) }
    for (index, peer) in peers.enumerated() { #expect(peer.receive()?.text == "\(index)") }
    peers.removeLast(100)
    #expect(server.settles { $0.connections == 924 })
    #expect(try Client(path: server.path).call(EchoRoutes.echo, EchoMessage("in")).text == "in")
  }

  @Test func theConnectionThatHoldsMostIsClosedPastTheBudget() throws {
    var limits = Limits()
    limits.bufferBytesMax = 1 << 20
    let server = try TestServer.echo(limits: limits)
    let small = try RawPeer(server.path)
    let large = try RawPeer(server.path)
    small.send(Array(Frame.request(1, "Echo", Self.big).bytes.prefix(60_000)))
    large.send(Array(Frame.request(1, "Echo", [UInt8](repeating: 0, count: 3 << 20)).bytes.prefix(2 << 20)))
    let refused = try #require(large.receive())
    #expect(refused.error?.code == .resourceExhausted && refused.error?.message.contains("bufferBytesMax") == true)
    #expect(large.isClosedByServer())
    #expect(server.settles { $0.connections == 1 && $0.bufferBytes < 1 << 20 })
    withExtendedLifetime(small) {}
  }

  @Test func aHandlerMayWriteToAnotherConnectionOfItsThread() throws {
    // The stream of one connection is written to by a call of another, as when an update is told to a watch.
    final class Shared: @unchecked Sendable { var watch: ServerCall? }
    let shared = Shared()
    var router = Router()
    router.stream(EchoRoutes.count) { (call) throws(RPCError) in shared.watch = call }
    router.unary(EchoRoutes.echo) { (request, call) throws(RPCError) in
      let bytes = request.encoded()
      shared.watch?.send(byteCount: bytes.count) { $0.copyMemory(from: bytes, byteCount: bytes.count) }
      call.reply(byteCount: 0) { _ in }
    }
    let server = try TestServer(router)
    let watcher = try RawPeer(server.path)
    watcher.send(.request(1, "Count", flags: .remoteClosed))
    #expect(server.settles { $0.streams == 1 })
    let writer = try RawPeer(server.path)
    for id: UInt32 in [1, 3, 5] {
      writer.send(.request(id, "Echo", EchoMessage("told \(id)").encoded))
      #expect(writer.receive()?.stream == id)
      #expect(watcher.receive()?.text == "told \(id)")
    }
  }

  @Test func deadlinesPassWhileNothingElseHappens() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    let took = seconds {
      peer.send(.request(1, "Sleep", EchoMessage(sleepMillis: 60_000).encoded, timeoutNanos: 100_000_000))
      #expect(peer.receive()?.code == .deadlineExceeded)
    }
    #expect(took > 0.09 && took < 3)
    #expect(server.settles { $0.streams == 0 })
  }

  @Test func shutdownFinishesWhatIsInFlight() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    peer.send(
      .request(1, "EchoStream", flags: .remoteOpen),
      .request(3, "Sleep", EchoMessage("slept", sleepMillis: 300).encoded))
    #expect(server.settles { $0.streams == 2 })
    let stopper = Thread(name: "stopper") { [server = server.server] in server.shutdown() }
    #expect(peer.receive()?.code == .unavailable)
    let refused = #expect(throws: RPCError.self) { try Client(path: server.path).call(EchoRoutes.echo, EchoMessage()) }
    #expect(refused?.code == .unavailable)
    #expect(peer.receive()?.text == "slept")
    #expect(peer.isClosedByServer())
    stopper.join()
    #expect(access(server.path, F_OK) != 0)
  }

  @Test func shutdownWaitsNoLongerThanItsLimit() throws {
    var limits = Limits()
    limits.drainNanosMax = 200_000_000
    let server = try TestServer.echo(limits: limits)
    let peer = try RawPeer(server.path)
    peer.send(.request(1, "Sleep", EchoMessage(sleepMillis: 60_000).encoded))
    #expect(server.settles { $0.streams == 1 })
    let took = seconds { server.server.shutdown() }
    #expect(took < 3)
    #expect(peer.isClosedByServer())
  }

  @Test func statisticsAnswerBeforeAndAfter() throws {
    var router = Router()
    router.serveEcho()
    #expect(try Server(router: router).statistics().calls == 0)
    let server = try TestServer(router)
    let client = Client(path: server.path)
    for _ in 0..<3 { _ = try client.call(EchoRoutes.empty, EchoMessage()) }
    #expect(server.server.statistics().calls == 3)
    server.server.shutdown()
    server.server.shutdown()
    let after = server.server.statistics()
    #expect(after.calls == 3)
    #expect(after.connections == 0)
  }
}

/// Both ends of a thousand connections are in this process.
func raiseDescriptorLimit() {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
