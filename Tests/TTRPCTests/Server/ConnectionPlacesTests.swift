// Who gets a place, and who is closed for whom.

import EchoService
import Glibc
import InteropRoutes
import Synchronization
import TTRPC
import Testing

@Suite struct ConnectionPlacesTests {
  private static let second: UInt64 = 1_000_000_000

  /// Everyone here has the same user: a test says whether they are operators.
  private final class Role: Sendable {
    let isOperator = Atomic(false)
  }

  private func server(_ limits: Limits, _ role: Role = Role(), reactors: Int = 1) throws -> TestServer {
    try TestServer.echo(limits: limits, reactors: reactors) { _ in role.isOperator.load(ordering: .relaxed) }
  }

  /// Connections that have made a call.
  private func users(_ count: Int, of server: TestServer) throws -> [RawPeer] {
    try (0..<count).map { index in
      let peer = try RawPeer(server.path)
      try #require(echo(peer, 1))
      return peer
    }
  }

  private func echo(_ peer: RawPeer, _ stream: UInt32) -> Bool {
    peer.send(.request(stream, "Echo", EchoMessage("here").encoded))
    return peer.receive()?.text == "here"
  }

  private func limits(_ connectionsMax: Int) -> Limits {
    var limits = Limits()
    limits.connectionsMax = connectionsMax
    limits.connectionsReservedMax = 2
    limits.silentNanosMin = Self.second / 20
    return limits
  }

  @Test(arguments: [1, 3]) func whoNeverMadeACallMakesRoom(reactors: Int) throws {
    let server = try server(limits(10), reactors: reactors)
    let silent = try (0..<10).map { _ in try RawPeer(server.path) }
    #expect(server.settles { $0.connections == 10 })
    usleep(100_000)
    let newcomers = try users(10, of: server)
    for peer in silent {
      let answer = try #require(peer.receive())
      #expect(answer.stream == 1 && answer.code == .resourceExhausted)
      #expect(peer.isClosedByServer())
    }
    // Those have all made a call: nobody goes for the next.
    let refused = try RawPeer(server.path)
    #expect(refused.receive()?.code == .resourceExhausted)
    #expect(newcomers.allSatisfy { echo($0, 3) })
    #expect(server.server.statistics().connections == 10)
  }

  @Test func whoHasJustConnectedStays() throws {
    var limits = limits(3)
    limits.silentNanosMin = 60 * Self.second
    let server = try server(limits)
    let silent = try (0..<3).map { _ in try RawPeer(server.path) }
    #expect(server.settles { $0.connections == 3 })
    let refused = try #require(try RawPeer(server.path).receive()?.error)
    #expect(refused.message.contains("connectionsMax") && refused.message.contains("3 by user \(geteuid())"))
    #expect(silent.allSatisfy { echo($0, 1) })
  }

  @Test func anOperatorGetsInWhenTheHouseIsFull() throws {
    let role = Role()
    let server = try server(limits(5), role)
    let agents = try users(5, of: server)
    #expect(try RawPeer(server.path).receive()?.code == .resourceExhausted)
    role.isOperator.store(true, ordering: .relaxed)
    for _ in 0..<20 {
      #expect(try Client(path: server.path).call(EchoRoutes.echo, EchoMessage("stats")).text == "stats")
    }
    #expect(agents.allSatisfy { echo($0, 3) })
  }

  @Test func theReservedPlacesAreForShortVisits() throws {
    let role = Role()
    let server = try server(limits(5), role)
    let agents = try users(5, of: server)
    role.isOperator.store(true, ordering: .relaxed)
    // The operator's own agents take them too.
    let visitors = try users(2, of: server)
    usleep(100_000)
    let third = try users(1, of: server)
    #expect(visitors[0].isClosedByServer())
    #expect(echo(visitors[1], 3) && echo(third[0], 3))
    // With a call under way they stay.
    visitors[1].send(.request(5, "Sleep", EchoMessage(sleepMillis: 60_000).encoded))
    third[0].send(.request(5, "Sleep", EchoMessage(sleepMillis: 60_000).encoded))
    #expect(server.settles { $0.streams == 2 })
    usleep(100_000)
    let refused = try #require(try RawPeer(server.path).receive()?.error)
    #expect(refused.message.contains("connectionsReservedMax"))
    #expect(agents.allSatisfy { echo($0, 3) })
    #expect(server.server.statistics().connections == 7)
  }

  @Test func aUserDoesNotTakeTheOthersPlaces() throws {
    var limits = limits(5)
    limits.connectionsPerUserMax = 3
    let role = Role()
    let server = try server(limits, role)
    let agents = try users(3, of: server)
    let refused = try #require(try RawPeer(server.path).receive()?.error)
    #expect(refused.code == .resourceExhausted && refused.message.contains("connectionsPerUserMax"))
    #expect(agents.allSatisfy { echo($0, 3) })
  }

  @Test func silentConnectionsAreClosedWhenItIsCrowded() throws {
    var limits = limits(20)
    limits.silentNanosMax = Self.second / 5
    let server = try server(limits, reactors: 2)
    let agents = try users(9, of: server)
    let silent = try (0..<8).map { _ in try RawPeer(server.path) }
    usleep(500_000)
    // 17 of 20: it is not crowded.
    #expect(server.server.statistics().connections == 17)
    let last = try users(1, of: server)
    #expect(server.settles { $0.connections == 10 })
    #expect(silent.allSatisfy { $0.receive()?.error?.message.contains("silentNanosMax") == true })
    #expect((agents + last).allSatisfy { echo($0, 3) })
  }

  @Test func halfAFirstCallIsNoSilence() throws {
    var limits = limits(2)
    limits.silentNanosMax = Self.second / 10
    let server = try server(limits)
    let slow = try RawPeer(server.path)
    let frame = Frame.request(1, "Echo", EchoMessage("slow").encoded).bytes
    slow.send(Array(frame.prefix(12)))
    let other = try users(1, of: server)
    usleep(300_000)
    #expect(try RawPeer(server.path).receive()?.code == .resourceExhausted)
    slow.send(Array(frame.dropFirst(12)))
    #expect(slow.receive()?.text == "slow" && echo(other[0], 3))
  }

  /// A flood of newcomers neither gets in nor costs the others.
  @Test func aFloodOfNewcomers() throws {
    let server = try server(limits(4), reactors: 2)
    let agents = try users(4, of: server)
    for _ in 0..<2_000 { _ = try RawPeer(server.path) }
    let took = try seconds { for _ in 0..<100 { try #require(agents.allSatisfy { echo($0, 1 + 2 * id()) }) } }
    #expect(took < 5)
    #expect(server.settles { $0.connections == 4 })
    withExtendedLifetime(agents) {}
  }

  private let counter = Counter()
  private func id() -> UInt32 { counter.next() }

  private final class Counter: Sendable {
    private let value = Atomic<UInt32>(0)
    func next() -> UInt32 { value.add(1, ordering: .relaxed).newValue }
  }
}
