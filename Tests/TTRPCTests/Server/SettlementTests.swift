// Waiting until what connections were to send has been sent.

import CLinux
import EchoService
import InteropRoutes
import Synchronization
import TTRPC
import Testing

@Suite struct SettlementTests {
  private static let big = EchoMessage("big", payload: [UInt8](repeating: 7, count: 64 << 10)).encoded

  private func settled(_ server: TestServer, within patience: Duration) -> Double {
    let isDone = Done()
    return seconds {
      server.server.settle(within: patience) { isDone.flag.store(true, ordering: .releasing) }
      #expect(server.settles { _ in isDone.isSet })
    }
  }

  private final class Done: Sendable {
    let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
  }

  @Test func anIdleServerIsSettledAtOnce() throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    peer.send(Frame.request(1, "Echo", EchoMessage("x").encoded).bytes)
    #expect(peer.receive()?.text == "x")
    #expect(settled(server, within: .seconds(20)) < 10)
    // The connection is still served.
    peer.send(Frame.request(3, "Echo", EchoMessage("y").encoded).bytes)
    #expect(peer.receive()?.text == "y")
  }

  /// Who reads keeps its connection; who does not is closed, and holds nobody up for longer.
  @Test func whoDoesNotReadIsClosed() throws {
    let server = try TestServer.echo()
    let (stuck, reading) = (try RawPeer(server.path), try RawPeer(server.path))
    for peer in [stuck, reading] {
      for id in stride(from: UInt32(1), to: 60, by: 2) { peer.send(Frame.request(id, "Echo", Self.big).bytes) }
    }
    #expect(server.settles { $0.bufferBytes > 1 << 20 })
    let isDone = Done()
    let took = seconds {
      server.server.settle(within: .milliseconds(500)) { isDone.flag.store(true, ordering: .releasing) }
      for id in stride(from: UInt32(1), to: 60, by: 2) { #expect(reading.receive()?.stream == id) }
      #expect(!isDone.isSet, "one connection has not sent its output")
      #expect(server.settles { _ in isDone.isSet })
    }
    #expect(took > 0.4)
    #expect(server.settles { $0.connections == 1 })
    reading.send(Frame.request(61, "Echo", EchoMessage("y").encoded).bytes)
    #expect(reading.receive()?.text == "y")
  }
}
