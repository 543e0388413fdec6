// The kernel tells of what arrives once. Nothing may be left unread then.

import EchoService
import Glibc
import TTRPC
import Testing
import Threads

@Suite struct ArrivalTests {
  /// A request whose frame has so many bytes, or one less where a length takes another byte.
  private static func request(_ id: UInt32, bytes: Int) -> [UInt8] {
    var payload = bytes
    while true {
      let frame = Frame.request(id, "Echo", EchoMessage("", payload: [UInt8](repeating: 7, count: payload)).encoded)
      if frame.bytes.count <= bytes { return frame.bytes }
      payload -= max(frame.bytes.count - bytes, 1)
    }
  }

  /// A read that fills the buffer says nothing about what is left.
  @Test(arguments: [64 << 10, 128 << 10])
  func whatFillsTheBufferIsReadToItsEnd(_ bytes: Int) throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    var id: UInt32 = 1
    for count in bytes - 2...bytes + 2 {
      // In one frame, and in one behind another.
      peer.send(Self.request(id, bytes: count))
      #expect(peer.receive()?.stream == id)
      peer.send(Self.request(id + 2, bytes: 100) + Self.request(id + 4, bytes: count - 100))
      #expect(peer.receive()?.stream == id + 2)
      #expect(peer.receive()?.stream == id + 4)
      id += 6
    }
  }

  /// The end is told of together with the last bytes, and then never again.
  @Test func theEndIsSeenBehindTheLastBytes() throws {
    let server = try TestServer.echo()
    for bytes in [64, 10_000, 64 << 10, 100_000] {
      for _ in 0..<100 {
        let peer = try RawPeer(server.path)
        peer.send(Self.request(1, bytes: bytes))
        peer.endSending()
        #expect(peer.receive()?.stream == 1)
        #expect(peer.isClosedByServer())
      }
    }
    #expect(server.settles { $0.connections == 0 })
  }

  /// In pieces of any size, more than a turn or a buffer takes, to a peer that stops reading now and then, and stops
  /// sending before it has read the last replies.
  @Test(arguments: 1...8)
  func everythingIsAnswered(_: Int) throws {
    let server = try TestServer.echo()
    let peer = try RawPeer(server.path)
    let sizes = (0..<300).map { _ in Int.random(in: 100...(.random(in: 0..<4) == 0 ? 90_000 : 300)) }
    let bytes = sizes.enumerated().flatMap { Self.request(UInt32(2 * $0 + 1), bytes: $1) }
    let writer = Thread(name: "writer") {
      var start = 0
      while start < bytes.count {
        let end = min(start + .random(in: 1...(Bool.random() ? 300 : 150_000)), bytes.count)
        peer.send(Array(bytes[start..<end]))
        if .random(in: 0..<16) == 0 { usleep(500) }
        start = end
      }
      peer.endSending()
    }
    var ids: Set<UInt32> = []
    while let frame = peer.receive() {
      ids.insert(frame.stream)
      if .random(in: 0..<32) == 0 { usleep(2_000) }
    }
    writer.join()
    #expect(ids.count == sizes.count)
    #expect(server.settles { $0.connections == 0 })
  }
}
