// After a restriction was acknowledged, no byte of what it hides passes to the kernel: whatever was being read, sent or
// watched meanwhile.

import Glibc
import Synchronization
import TTRPC
import Testing
import Threads
import TwinClient
import TwinCore
import TwinRoutes
import TwinService
import TwinStore

@Suite struct RestrictionTests {
  /// With one reactor, and again with two. TWIND_FULL=1 makes it 20 times as long.
  private static let readsMin = getenv("TWIND_FULL") == nil ? 25_000 : 500_000
  private static let watchesPerConnection = 100
  private static let watchConnections = 10
  private static let readers = 6
  private static let roundsMax = 400

  private static let hotTwins = 40
  /// More than memory holds.
  private static let coldTwins = 1_500

  private static func hot(_ number: Int) -> String { "acme/customer/h\(number)" }
  private static func cold(_ number: Int) -> String { "acme/customer/c\(number)" }

  private static let denial = Denial(
    kind: Array("customer".utf8), attributes: AttributeMask(names: [Array("secret".utf8)]),
    agent: Array("nosy".utf8))

  /// Requests of every method that reads, about some twin.
  private static func requests(_ number: Int) -> [(AnyRoute, [UInt8])] {
    let (hot, cold) = (hot(number % hotTwins), cold(number % coldTwins))
    func field(_ number: UInt8, _ text: String) -> [UInt8] { [number << 3 | 2, UInt8(text.utf8.count)] + text.utf8 }
    func route<Request, Response>(_ route: Route<Request, Response>) -> AnyRoute { AnyRoute(route) }
    let get = route(TwinServiceRoutes.getTwin)
    var usual = [(get, field(1, hot)), (get, field(1, hot)), (get, field(1, hot))]
    if number % 8 == 0 {
      usual += [
        (get, field(1, cold)),
        // As of now: valid_at = 1 << 61.
        (get, field(1, hot) + [6 << 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]),
        (route(TwinServiceRoutes.batchGetTwins), field(1, hot) + field(1, cold)),
        (route(TwinServiceRoutes.listTwins), field(1, "acme/customer/h") + [2 << 3, 5]),
        (route(TwinServiceRoutes.listFacts), field(1, hot)),
      ]
    }
    return usual
  }

  private final class Traffic: @unchecked Sendable {
    let path: String
    let stops = Atomic(false)
    private let lock = Lock()
    private var connections: [RacingConnection] = []
    private var threads: [Thread] = []
    private let replies = Atomic(0)

    init(_ path: String) { self.path = path }

    var replyCount: Int { replies.load(ordering: .relaxed) }
    var open: [RacingConnection] { lock.withLock { connections } }

    private func connect() throws -> RacingConnection {
      let connection = try RacingConnection(path)
      connection.begin(AnyRoute(SessionServiceRoutes.openSession), [1 << 3 | 2, 4] + "nosy".utf8)
      lock.withLock { connections.append(connection) }
      return connection
    }

    private func start(_ body: @escaping @Sendable () throws -> Void) {
      threads.append(
        Thread(name: "traffic") {
          do { try body() } catch { Issue.record("\(error)") }
        })
    }

    /// Keeps some calls in flight, and connects again when its connection was closed.
    func read(_ seed: Int, isSlow: Bool) {
      start { [self] in
        var number = seed * 7_919
        while !stops.load(ordering: .relaxed) {
          let connection = try connect()
          var sent = 1
          while !stops.load(ordering: .relaxed) && !connection.isClosed {
            let before = connection.replyCount
            while sent - before < (isSlow ? 400 : 24) {
              for (route, request) in RestrictionTests.requests(number) {
                connection.begin(route, request)
                sent += 1
              }
              number += 1
            }
            connection.receive(waiting: 20, atMost: isSlow ? 256 : 1 << 16)
            if isSlow { usleep(2_000) }
            replies.add(connection.replyCount - before, ordering: .relaxed)
          }
        }
      }
    }

    /// Watches in all ways: of names and of a prefix, from a snapshot and resumed, with and without coalescing.
    func watch(_ count: Int, isSlow: Bool) {
      start { [self] in
        while !stops.load(ordering: .relaxed) {
          let connection = try connect()
          for number in 0..<count {
            var request: [UInt8] = []
            if number % 2 == 0 {
              let name = RestrictionTests.hot(number % RestrictionTests.hotTwins)
              request += [1 << 3 | 2, UInt8(name.utf8.count)] + name.utf8
            } else {
              let prefix = number % 10 == 1 ? "acme/customer/c1" : "acme/customer/h1"
              request += [2 << 3 | 2, UInt8(prefix.utf8.count)] + prefix.utf8
            }
            if number % 4 >= 2 { request += [3 << 3, 0x01] }
            if number % 3 == 0 { request += [4 << 3, 0x01] }
            connection.begin(AnyRoute(TwinServiceRoutes.watchTwins), request)
          }
          while !stops.load(ordering: .relaxed) && !connection.isClosed {
            connection.receive(waiting: 20, atMost: isSlow ? 512 : 1 << 16)
            if isSlow { usleep(5_000) }
          }
        }
      }
    }

    func write(_ client: TwindClient, _ store: Store) {
      start { [self] in
        var number = 0
        while !stops.load(ordering: .relaxed) {
          number += 1
          let name = RestrictionTests.hot(number % RestrictionTests.hotTwins)
          _ = try client.update(
            name, [.set("secret", .string("SECRET \(number)")), .set("city", .string("Bern \(number)"))])
          if number % 200 == 0 { _ = try store.checkpoint() }
          usleep(5_000)
        }
      }
    }

    func stop() {
      stops.store(true, ordering: .relaxed)
      for thread in threads { thread.join() }
    }
  }

  @Test(arguments: [1, 2])
  func nothingHiddenPassesAfterTheReply(reactors: Int) throws {
    var options = Store.Options.small
    options.memoryBytesMax = Store.Options.memoryBytesMin
    let fixture = try ServiceFixture(options: options)
    for number in 0..<Self.hotTwins {
      try fixture.twind.update(Self.hot(number), [.set("secret", .string("SECRET")), .set("city", .string("Bern"))])
    }
    for number in 0..<Self.coldTwins {
      let filler = String(repeating: "x", count: 8_000)
      try fixture.twind.update(
        Self.cold(number), [.set("secret", .string("SECRET")), .set("filler", .string(filler))])
      if number % 100 == 99 { _ = try fixture.store.checkpoint() }
    }
    let server = try Server(router: fixture.router, reactors: reactors)
    try server.start(UnixListener(path: fixture.path + "/s"))
    defer { server.shutdown() }
    let traffic = Traffic(fixture.path + "/s")
    for reader in 0..<Self.readers { traffic.read(reader, isSlow: reader == 0) }
    for connection in 0..<Self.watchConnections { traffic.watch(Self.watchesPerConnection, isSlow: connection == 0) }
    traffic.write(fixture.client(agent: "writer"), fixture.store)
    defer { traffic.stop() }

    var exposed = 0
    for round in 0..<Self.roundsMax where round < 8 || traffic.replyCount < Self.readsMin {
      fixture.store.put([])
      usleep(UInt32(20_000 + round % 7 * 10_000))
      let connections = traffic.open
      let reply = Reply()
      server.restrict(fixture.store, to: [Self.denial]) { reply.give(connections.map(\.kernelBytes)) }
      let bytes = try #require(reply.wait(), "the restriction was not acknowledged in time")
      usleep(30_000)
      for (connection, bytes) in zip(connections, bytes) {
        let end = connection.markEnd
        if end > 0 { exposed += 1 }
        #expect(end <= bytes, "round \(round): the mark ends at \(end), \(bytes) bytes had been sent")
      }
    }
    #expect(exposed > 8 * Self.readers, "secrets were sent before")
    #expect(traffic.replyCount >= Self.readsMin, "calls raced: \(traffic.replyCount)")
  }

  /// What a reply brings, on whichever thread it comes.
  private final class Reply: @unchecked Sendable {
    private let lock = Lock()
    private let given: Condition
    private var bytes: [Int]?

    init() { given = Condition(lock) }

    func give(_ bytes: [Int]) {
      lock.withLock {
        self.bytes = bytes
        given.broadcast()
      }
    }

    func wait() -> [Int]? {
      let deadline = SystemClock().monotonicNanos() + 30_000_000_000
      return lock.withLock {
        while bytes == nil && SystemClock().monotonicNanos() < deadline { given.wait(until: deadline) }
        return bytes
      }
    }
  }
}
