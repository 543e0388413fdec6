// Reactors and clients that go on looking before they sleep: nothing is answered late, lost or left running.

import CLinux
import EchoService
import Glibc
import InteropRoutes
import TTRPC
import Testing
import Threads

@Suite struct BusyPollTests {
  private static func echo(busyPoll: Duration, reactors: Int = 1) throws -> TestServer {
    var router = Router()
    router.serveEcho()
    return try TestServer(router, reactors: reactors, busyPoll: busyPoll)
  }

  private static func client(_ server: TestServer, busyPoll: Duration = .zero) -> Client {
    var options = Client.Options()
    options.busyPoll = busyPoll
    return Client(path: server.path, options: options)
  }

  /// Long enough that the reactor never sleeps during the test: whoever is not looked at waits for ever.
  @Test func othersAreSeenWhileOneIsLookedAt() throws {
    let server = try Self.echo(busyPoll: .seconds(3_600))
    let clients = (0..<8).map { _ in Self.client(server) }
    for round in 0..<50 {
      // The one who spoke last is read directly, all others only when they are asked for.
      for client in clients {
        #expect(try client.call(EchoRoutes.echo, EchoMessage("\(round)"), timeout: .seconds(10)).text == "\(round)")
      }
    }
  }

  @Test func whatOtherThreadsAnswerIsSentWhileItLooks() throws {
    let server = try Self.echo(busyPoll: .seconds(3_600))
    let client = Self.client(server)
    for _ in 0..<5 {
      let reply = try client.call(EchoRoutes.sleep, EchoMessage("late", sleepMillis: 5), timeout: .seconds(10))
      #expect(reply.text == "late")
    }
    #expect(server.server.statistics().connections == 1)
  }

  @Test func deadlinesHoldWhileBothLook() throws {
    let server = try Self.echo(busyPoll: .seconds(3_600))
    let client = Self.client(server, busyPoll: .seconds(3_600))
    let took = seconds {
      let error = #expect(throws: RPCError.self) {
        try client.call(EchoRoutes.sleep, EchoMessage(sleepMillis: 60_000), timeout: .milliseconds(100))
      }
      #expect(error?.code == .deadlineExceeded)
    }
    #expect(took < 5)
  }

  @Test func aClientThatLooksGivesUpInTime() throws {
    let silent = try FakeServer()
    var options = Client.Options()
    options.busyPoll = .seconds(8)
    let client = Client(path: silent.path, options: options)
    let took = seconds {
      let error = #expect(throws: RPCError.self) {
        try client.call(EchoRoutes.echo, EchoMessage(), timeout: .milliseconds(100))
      }
      #expect(error?.code == .deadlineExceeded)
    }
    #expect(took < 4)
  }

  @Test func whoDiesWhileLookedAtLeavesNothing() throws {
    let server = try Self.echo(busyPoll: .seconds(3_600))
    for round in 0..<20 {
      let peer = try RawPeer(server.path)
      peer.send(Frame.request(1, "Echo", EchoMessage("\(round)").encoded))
      #expect(peer.receive()?.text == "\(round)")
    }
    #expect(server.settles { $0.connections == 0 })
  }

  @Test func itSleepsWhenNothingComes() throws {
    let server = try Self.echo(busyPoll: .milliseconds(1))
    let client = Self.client(server, busyPoll: .milliseconds(1))
    _ = try client.call(EchoRoutes.echo, EchoMessage())
    usleep(50_000)
    let before = cpuSeconds()
    usleep(500_000)
    #expect(cpuSeconds() - before < 0.1)
  }

  @Test func manyThreadsShareAClientThatLooks() throws {
    let server = try Self.echo(busyPoll: .microseconds(50), reactors: 2)
    let client = Self.client(server, busyPoll: .microseconds(200))
    let threads = (0..<4).map { thread in
      Thread(name: "caller") {
        for number in 0..<200 {
          let text = "\(thread) \(number)"
          let reply = try? client.call(EchoRoutes.echo, EchoMessage(text), timeout: .seconds(20)).text
          #expect(reply == text)
        }
      }
    }
    for thread in threads { thread.join() }
  }

  private func cpuSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let micros = usage.ru_utime.tv_sec * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1_000_000
    return Double(micros + usage.ru_stime.tv_usec) / 1e6
  }
}
