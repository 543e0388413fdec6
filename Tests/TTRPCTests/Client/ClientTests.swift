// A client whose server restarts, refuses, lies, or does not listen.

import CLinux
import EchoService
import Glibc
import InteropRoutes
import Synchronization
import TTRPC
import Testing
import Threads

@Suite struct ClientTests {
  @Test func itConnectsAgainAfterARestart() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/s"
    var router = Router()
    router.serveEcho()
    let client = Client(path: path)
    let missing = #expect(throws: RPCError.self) { try client.call(EchoRoutes.echo, EchoMessage()) }
    #expect(missing?.code == .unavailable)
    #expect(missing?.message.contains(path) == true)
    for round in 0..<3 {
      let server = try Server(router: router)
      try server.start(try UnixListener(path: path))
      #expect(try client.call(EchoRoutes.echo, EchoMessage("\(round)")).text == "\(round)")
      server.shutdown()
      // The call that finds the connection broken says so; the next one connects.
      let broken = #expect(throws: RPCError.self) { try client.call(EchoRoutes.echo, EchoMessage()) }
      #expect(broken?.code == .unavailable)
    }
  }

  @Test func aDeadlineHoldsAgainstAServerThatDoesNotRead() throws {
    let server = try FakeServer()
    let client = Client(path: server.path)
    let payload = [UInt8](repeating: 0, count: 3 << 20)
    for _ in 0..<2 {
      let took = seconds {
        let error = #expect(throws: RPCError.self) {
          try client.call(EchoRoutes.echo, EchoMessage(payload: payload), timeout: .milliseconds(200))
        }
        #expect(error?.code == .deadlineExceeded)
      }
      #expect(took < 3)
    }
    // What could not be sent goes out when the server reads after all.
    let peer = server.accept()
    #expect(peer.receive()?.message.count ?? 0 > 3 << 20)
    #expect(peer.receive()?.type == .request || peer.receive()?.type == .request)
  }

  @Test func aDeadlineHoldsAgainstAFullBacklog() throws {
    let server = try FakeServer(backlog: 0)
    let first = try RawPeer(server.path)
    let client = Client(path: server.path)
    let took = seconds {
      let error = #expect(throws: RPCError.self) {
        try client.call(EchoRoutes.echo, EchoMessage(), timeout: .milliseconds(200))
      }
      #expect(error?.message.contains("backlog") == true, "\(String(describing: error))")
    }
    #expect(took < 3)
    withExtendedLifetime(first) {}
  }

  @Test func aFailedConnectClosesItsSocketOnce() {
    // A second close would hit whatever another thread has opened meanwhile.
    let isDone = Atomic(false)
    let client = Client(path: "/nonexistent/socket")
    let connecting = Thread(name: "connecting") {
      for _ in 0..<3000 { _ = try? client.call(EchoRoutes.empty, EchoMessage()) }
    }
    let hits = Atomic(0)
    let opening = Thread(name: "opening") {
      while !isDone.load(ordering: .relaxed) {
        let fd = open("/dev/null", O_RDONLY)
        sched_yield()
        if close(fd) != 0 { hits.add(1, ordering: .relaxed) }
      }
    }
    connecting.join()
    isDone.store(true, ordering: .relaxed)
    opening.join()
    #expect(hits.load(ordering: .relaxed) == 0)
  }

  @Test func threadsShareOneConnection() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    let wrong = Atomic(0)
    let threads = (0..<8).map { thread in
      Thread(name: "caller-\(thread)") {
        for index in 0..<200 {
          let text = "\(thread)/\(index)"
          let payload = [UInt8](repeating: 1, count: index * 40)
          let reply = try? client.call(EchoRoutes.echo, EchoMessage(text, payload: payload), timeout: .seconds(30))
          if reply?.text != text { wrong.add(1, ordering: .relaxed) }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(server.server.statistics().connections == 1)
  }

  @Test func aRequestOverAFrameFailsAlone() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    let error = #expect(throws: RPCError.self) {
      try client.call(EchoRoutes.echo, EchoMessage(payload: [UInt8](repeating: 0, count: 4 << 20)))
    }
    #expect(error?.code == .resourceExhausted)
    #expect(try client.call(EchoRoutes.echo, EchoMessage("on")).text == "on")
    #expect(server.server.statistics().calls == 1)
  }

  @Test func closingFailsTheCallsInFlight() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    let pending = try client.start(EchoRoutes.sleep, EchoMessage(sleepMillis: 60_000))
    client.flush()
    #expect(server.settles { $0.streams == 1 })
    client.close()
    let error = #expect(throws: RPCError.self) { try pending.wait() }
    #expect(error?.code == .cancelled)
    #expect(server.settles { $0.connections == 0 && $0.streams == 0 })
    #expect(try client.call(EchoRoutes.echo, EchoMessage("again")).text == "again")
  }

  @Test func waitingSendsWhatWasBegun() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    #expect(try client.start(EchoRoutes.echo, EchoMessage("sent")).wait().text == "sent")
  }

  /// What a bad server answers to the first call, and what the call then says.
  static let lies: [(name: String, bytes: [UInt8], code: StatusCode)] = [
    ("no Response", Frame(stream: 1, type: .response, message: [0x0a, 0xff]).bytes, .internal),
    ("no EchoResponse", Frame(stream: 1, type: .response, message: Field.bytes(2, [0x0a, 0xff])).bytes, .internal),
    ("data for a unary call", Frame.data(1, [1]).bytes, .internal),
    ("a request", Frame.request(1, "Echo").bytes, .internal),
    ("a frame over the limit", [0xff, 0, 0, 0, 0, 0, 0, 1, 2, 0], .unavailable),
    ("a status of no known code", Frame(stream: 1, type: .response, message: Field.bytes(1, [8, 99])).bytes, .unknown),
    ("nothing", [], .unavailable),
  ]

  @Test(arguments: lies)
  func aServerThatLies(_ name: String, _ bytes: [UInt8], _ code: StatusCode) throws {
    let server = try FakeServer()
    let client = Client(path: server.path)
    let pending = try client.start(EchoRoutes.echo, EchoMessage())
    client.flush()
    // Frames of other ids, and of types that the client does not know, change nothing.
    var peer: RawPeer? = server.accept()
    peer?.send(Frame(stream: 1, type: FrameType(rawValue: 9)).bytes + Frame.end(7).bytes + Frame.end(2).bytes + bytes)
    if bytes.isEmpty { peer = nil }
    let error = #expect(throws: RPCError.self) { try pending.wait() }
    #expect(error?.code == code, "\(name): \(String(describing: error))")
    withExtendedLifetime(peer) {}
  }
}
