// What one connection gets of a turn, and that the rest of its frames have theirs without another byte.

import EchoService
import Glibc
import InteropRoutes
import TTRPC
import Testing
import Threads

@Suite struct TurnTests {
  private static func requests(_ count: Int, _ payload: [UInt8]) -> [UInt8] {
    stride(from: UInt32(1), to: UInt32(2 * count), by: 2).flatMap { Frame.request($0, "Echo", payload).bytes }
  }

  @Test func aTurnEndsAfterItsFrames() {
    var limits = Limits()
    limits.framesPerTurnMax = 10
    let harness = SessionHarness.echo(limits: limits)
    var bytes = Self.requests(25, EchoMessage("x").encoded)
    var answered: [Int] = []
    repeat {
      bytes.removeFirst(harness.receive(bytes))
      answered.append(harness.output().count)
    } while harness.session.isTurnOver
    #expect(answered == [10, 10, 5])
    #expect(bytes.isEmpty)
  }

  @Test func aTurnEndsAfterItsReplies() {
    var limits = Limits()
    limits.replyBytesPerTurnMax = 10_000
    let harness = SessionHarness.echo(limits: limits)
    let bytes = Self.requests(8, EchoMessage(payload: [UInt8](repeating: 1, count: 4_000)).encoded)
    let taken = harness.receive(bytes)
    #expect(harness.session.isTurnOver)
    #expect(harness.output().count == 3)
    harness.receive(Array(bytes[taken...]))
    #expect(harness.output().count == 3)
  }

  /// What comes behind the last whole frame is no reason for another turn.
  @Test func aPartOfAFrameWaitsForItsRest() {
    var limits = Limits()
    limits.framesPerTurnMax = 2
    let harness = SessionHarness.echo(limits: limits)
    let bytes = Self.requests(3, EchoMessage("x").encoded)
    let cut = bytes.count - 1
    let taken = harness.receive(Array(bytes[..<cut]))
    #expect(!harness.session.isTurnOver)
    harness.receive(Array(bytes[taken...]))
    #expect(harness.output().count == 3)
  }

  /// All of a burst is answered, although no more bytes come after it: the reactor goes on by itself.
  @Test(arguments: [1, 3]) func aBurstIsAnsweredToTheEnd(framesPerTurn: Int) throws {
    var limits = Limits()
    limits.framesPerTurnMax = framesPerTurn
    let server = try TestServer.echo(limits: limits)
    let peer = try RawPeer(server.path)
    peer.send(Self.requests(300, EchoMessage("x").encoded))
    for id in stride(from: UInt32(1), to: 600, by: 2) { try #require(peer.receive()?.stream == id) }
  }

  /// More requests than the receive buffer could hold wait in the socket, not in memory.
  @Test func aFloodIsTakenInTurns() throws {
    var limits = Limits()
    limits.framesPerTurnMax = 1
    let server = try TestServer.echo(limits: limits)
    let flood = try RawPeer(server.path)
    let payload = EchoMessage(payload: [UInt8](repeating: 1, count: 60_000)).encoded
    let sender = Thread(name: "flood") { flood.send(Self.requests(200, payload)) }
    let client = Client(path: server.path)
    for number in 0..<50 { #expect(try client.call(EchoRoutes.echo, EchoMessage("\(number)")).text == "\(number)") }
    for id in stride(from: UInt32(1), to: 400, by: 2) { try #require(flood.receive()?.stream == id) }
    sender.join()
  }

  /// What has come before a shutdown is answered, if only with a refusal, however many turns that takes.
  @Test func aShutdownAnswersWhatHasCome() throws {
    var limits = Limits()
    limits.framesPerTurnMax = 1
    let server = try TestServer.echo(limits: limits)
    let peer = try RawPeer(server.path)
    peer.send(Frame.request(1, "Echo", EchoMessage("x").encoded))
    try #require(peer.receive()?.text == "x")
    // The requests and the shutdown wait for the reactor together.
    let gate = Gate()
    server.server.executors[0].post { gate.wait() }
    peer.send(stride(from: UInt32(3), to: 1603, by: 2).flatMap { Frame.request($0, "Echo").bytes })
    let shutdown = Thread(name: "shutdown") { [server = server.server] in server.shutdown() }
    usleep(50_000)
    gate.open()
    for id in stride(from: UInt32(3), to: 1603, by: 2) {
      let answer = try #require(peer.receive())
      #expect(answer.stream == id && (answer.code == .ok || answer.code == .unavailable))
    }
    shutdown.join()
  }

  /// A call waits for a turn of each of the others at most, however much they have sent.
  @Test func aSmallCallPassesAFlood() throws {
    let order = Order()
    var router = Router()
    router.unary(EchoRoutes.echo) { (request, call) throws(RPCError) in
      order.note(String(cString: request.pointee.text))
      call.reply(call.arena.make(EchoResponse.self))
    }
    var limits = Limits()
    limits.framesPerTurnMax = 8
    let server = try TestServer(router, limits: limits)
    let flood = try RawPeer(server.path)
    let small = try RawPeer(server.path)
    for peer in [flood, small] {
      peer.send(Frame.request(1, "Echo", EchoMessage("first").encoded))
      try #require(peer.receive()?.code == .ok)
    }
    // Nobody is served before both have sent.
    let gate = Gate()
    server.server.executors[0].post { gate.wait() }
    flood.send(stride(from: UInt32(3), to: 803, by: 2).flatMap { Frame.request($0, "Echo").bytes })
    small.send(Frame.request(3, "Echo", EchoMessage("small").encoded))
    gate.open()
    #expect(small.receive()?.code == .ok)
    #expect(order.position(of: "small") ?? .max <= 2 + 16)
  }

  /// What workers have made for other connections is sent in turns: a reply waits for one of each at most.
  @Test func aShortReplyPassesLongOnes() throws {
    let order = Order()
    let kept = KeptCalls()
    var router = Router()
    router.unary(EchoRoutes.echo) { (request, call) throws(RPCError) in
      kept.keep(String(cString: request.pointee.text), call.deferred())
    }
    let server = try TestServer(router)
    let floods = try (0..<8).map { _ in try RawPeer(server.path) }
    let small = try RawPeer(server.path)
    for flood in floods { flood.send(Self.requests(20, EchoMessage("flood").encoded)) }
    small.send(Frame.request(1, "Echo", EchoMessage("small").encoded))
    try #require(kept.comes(to: 161))
    // All are to be answered at once, the small one last.
    let gate = Gate()
    server.server.executors[0].post { gate.wait() }
    for name in ["flood", "small"] {
      for call in kept.calls(name) {
        call.onThread { call in
          if name == "flood" { usleep(1000) }
          order.note(name)
          call.reply(byteCount: 0) { _ in }
        }
      }
    }
    gate.open()
    #expect(small.receive()?.code == .ok)
    #expect(order.position(of: "small") ?? .max <= floods.count)
    for flood in floods { for _ in 0..<20 { try #require(flood.receive()?.code == .ok) } }
  }
}

/// Calls to be answered later, by what they asked.
private final class KeptCalls: @unchecked Sendable {
  private let lock = Lock()
  private var kept: [(name: String, call: ServerCall)] = []

  func keep(_ name: String, _ call: ServerCall) { lock.withLock { kept.append((name, call)) } }
  func calls(_ name: String) -> [ServerCall] { lock.withLock { kept.filter { $0.name == name }.map(\.call) } }

  /// Waits until so many are kept; false after ten seconds.
  func comes(to count: Int) -> Bool {
    for _ in 0..<1000 {
      if lock.withLock({ kept.count }) == count { return true }
      usleep(10_000)
    }
    return false
  }
}

/// Who was served in which order.
private final class Order: @unchecked Sendable {
  private let lock = Lock()
  private var names: [String] = []

  func note(_ name: String) { lock.withLock { names.append(name) } }
  func position(of name: String) -> Int? { lock.withLock { names.firstIndex(of: name) } }
}

/// Holds a thread until it is opened.
private final class Gate: @unchecked Sendable {
  private let lock: Lock
  private let news: Condition
  private var isOpen = false

  init() {
    lock = Lock()
    news = Condition(lock)
  }

  func wait() { lock.withLock { while !isOpen { news.wait() } } }

  func open() {
    lock.withLock {
      isOpen = true
      news.broadcast()
    }
  }
}
