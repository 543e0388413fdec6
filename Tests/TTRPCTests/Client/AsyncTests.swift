// Calls for Swift concurrency: in order, cancellable, and without a trace when they have ended.

import CTTRPCProto
import EchoService
import Glibc
import InteropRoutes
import TTRPC
import Testing

@Suite struct AsyncTests {
  private static func call(_ client: Client, _ text: String) async throws -> String {
    let request = EchoMessage(text)
    defer { withExtendedLifetime(request) {} }
    return try await client.callAsync(EchoRoutes.echo, request.pointer).text
  }

  @Test(arguments: Carrier.allCases)
  func manyCallsAtOnce(_ carrier: Carrier) async throws {
    let connected = try carrier.connect()
    let client = connected.client
    try await withThrowingTaskGroup(of: (String, String).self) { group in
      for index in 0..<200 { group.addTask { ("\(index)", try await Self.call(client, "\(index)")) } }
      for try await (wanted, text) in group { #expect(text == wanted) }
    }
    withExtendedLifetime(connected) {}
  }

  @Test(arguments: Carrier.allCases)
  func messagesComeInOrder(_ carrier: Carrier) async throws {
    let connected = try carrier.connect()
    for _ in 0..<5 {
      let request = EchoMessage("3000")
      var next = 1
      for try await message in try connected.client.messages(EchoRoutes.count, request.pointer) {
        try #require(message.text == "\(next)")
        next += 1
      }
      #expect(next == 3001)
    }
  }

  @Test(arguments: Carrier.allCases)
  func aDeadlineEndsACall(_ carrier: Carrier) async throws {
    let connected = try carrier.connect()
    let request = EchoMessage(sleepMillis: 60_000)
    let error = await #expect(throws: RPCError.self) {
      _ = try await connected.client.callAsync(EchoRoutes.sleep, request.pointer, timeout: .milliseconds(50))
    }
    #expect(error?.code == .deadlineExceeded)
  }

  @Test func cancellingATaskCancelsItsCall() async throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    let task = Task {
      let request = EchoMessage(sleepMillis: 60_000)
      _ = try await client.callAsync(EchoRoutes.sleep, request.pointer)
    }
    let watcher = Task {
      let arena = Arena(chunkBytes: 256)
      let request = arena.make(Grpc__Health__V1__HealthCheckRequest.self)
      for try await _ in try client.messages(HealthRoutes.watch, UnsafePointer(request)) {}
    }
    #expect(server.settles { $0.streams == 2 })
    task.cancel()
    watcher.cancel()
    let error = await #expect(throws: RPCError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    _ = await watcher.result
    #expect(server.settles { $0.streams == 0 })
    #expect(try await Self.call(client, "on") == "on")
  }

  @Test func endingAnIterationCancelsItsCall() async throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    let request = EchoMessage("1000000000")
    for try await message in try client.messages(EchoRoutes.count, request.pointer) where message.text == "10" { break }
    #expect(server.settles { $0.streams == 0 })
  }

  @Test func whatHasEndedHoldsNothing() async throws {
    let server = try TestServer.echo()
    try await Self.useAndForget(server)
    // Clients that are gone have closed their sockets: no ended call holds them.
    #expect(server.settles { $0.connections == 0 })
    let before = Self.descriptors()
    for _ in 0..<20 { try await Self.useAndForget(server) }
    #expect(server.settles { $0.connections == 0 })
    #expect(eventually { Self.descriptors() < before + 15 })
  }

  private static func useAndForget(_ server: TestServer) async throws {
    let client = Client(path: server.path)
    #expect(try await call(client, "x") == "x")
    let request = EchoMessage("3")
    for try await _ in try client.messages(EchoRoutes.count, request.pointer) {}
  }

  private static func descriptors() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
