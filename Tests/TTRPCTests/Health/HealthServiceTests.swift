// The standard health service: what is served now, and each change from then on.

import CTTRPCProto
import EchoService
import TTRPC
import Testing
import Threads

@Suite struct HealthServiceTests {
  typealias Request = Grpc__Health__V1__HealthCheckRequest
  typealias Response = Grpc__Health__V1__HealthCheckResponse

  private static let notServing: UInt32 = 2
  private static let serviceUnknown: UInt32 = 3

  private let health = HealthService()

  private func router() -> Router {
    var router = Router()
    router.serveEcho()
    health.register(in: &router)
    return router
  }

  private static func request<Result>(
    _ service: String, _ body: (UnsafePointer<Request>) throws -> Result
  ) rethrows -> Result {
    let arena = Arena(chunkBytes: 256)
    let request = arena.make(Request.self)
    request.pointee.service = arena.string(service)
    return try body(UnsafePointer(request))
  }

  private static func check(_ client: Client, _ service: String) throws -> UInt32 {
    try request(service) { try client.call(HealthRoutes.check, $0).read { $0.pointee.status.rawValue } }
  }

  private static func watch(_ client: Client, _ service: String) throws -> ClientStream<Request, Response> {
    try request(service) { try client.stream(HealthRoutes.watch, $0, timeout: .seconds(10)) }
  }

  private static func next(_ stream: ClientStream<Request, Response>) throws -> UInt32? {
    try stream.next()?.read { $0.pointee.status.rawValue }
  }

  @Test func checkTellsWhatIsServed() throws {
    let client = Client.inProcess(router())
    #expect(try Self.check(client, "") == 1)
    #expect(try Self.check(client, "ttrpc.interop.Echo") == 1)
    health.set("ttrpc.interop.Echo", .notServing)
    #expect(try Self.check(client, "ttrpc.interop.Echo") == Self.notServing)
    health.setAll(.notServing)
    #expect(try Self.check(client, "") == Self.notServing)
    let error = #expect(throws: RPCError.self) { try Self.check(client, "nobody") }
    #expect(error?.code == .notFound)
    #expect(error?.message.contains("nobody") == true)
  }

  @Test func watchTellsTheStatusAndEachChange() throws {
    let server = try TestServer(router())
    let client = Client(path: server.path)
    let all = try Self.watch(client, "")
    let unknown = try Self.watch(client, "later")
    #expect(try Self.next(all) == 1)
    #expect(try Self.next(unknown) == Self.serviceUnknown)
    health.set("", .serving)
    health.set("", .notServing)
    health.set("later", .serving)
    #expect(try Self.next(all) == Self.notServing)
    #expect(try Self.next(unknown) == 1)
    server.server.shutdown()
    let error = #expect(throws: RPCError.self) { try all.next() }
    #expect(error?.code == .unavailable)
  }

  @Test func theLastThingTheyAreToldIsTheStatusNow() throws {
    let server = try TestServer(router())
    let client = Client(path: server.path)
    let stream = try Self.watch(client, "")
    var told = try Self.next(stream)
    for _ in 0..<300 {
      let threads = [HealthService.Status.serving, .notServing].map { status in
        Thread(name: "setter") { [health] in health.set("", status) }
      }
      for thread in threads { thread.join() }
      // A change of its own marks the end of what the two have caused.
      let now = try Self.check(client, "")
      health.set("", .unknown)
      var before = told
      while told != 0 {
        before = told
        told = try Self.next(stream)
      }
      try #require(before == now)
      health.set("", .serving)
      told = try Self.next(stream)
    }
  }
}
