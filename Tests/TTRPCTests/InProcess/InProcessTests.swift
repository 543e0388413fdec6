import CTTRPCProto
import TTRPC
import Testing

@Suite struct InProcessTests {
  @Test func healthCheck() throws {
    let health = HealthService()
    var router = Router()
    health.register(in: &router)
    let client = Client.inProcess(router)
    let arena = Arena()
    let request = arena.make(Grpc__Health__V1__HealthCheckRequest.self)
    let reply = try client.call(HealthRoutes.check, UnsafePointer(request))
    #expect(reply.read { $0.pointee.status.rawValue } == 1)
    request.pointee.service = arena.string("nobody")
    #expect(throws: RPCError.self) { try client.call(HealthRoutes.check, UnsafePointer(request)) }
  }
}
