// OpenSession: who makes the later calls of a connection, and what they are for.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes

extension TwinService {
  func openSession(
    _ request: UnsafePointer<Twind__V1__OpenSessionRequest>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let caller = try onWire { () throws(TwinError) in
      if request.pointee.token.len > 0 {
        throw TwinError(.failedPrecondition, "this daemon does not know tokens: leave token out")
      }
      if request.pointee.n_contracts > 0 {
        throw TwinError(.failedPrecondition, "this daemon does not know schemas: leave contracts out")
      }
      let agent = Text(request.pointee.agent)
      if !agent.isEmpty { try checkAgent(agent.bytes) }
      let purpose = Text(request.pointee.default_purpose)
      try checkPurpose(purpose.bytes)
      return Caller(
        call.peer, agent: agent.isEmpty ? Array(agents.name(of: call.peer.uid).utf8) : agent.array,
        defaultPurpose: purpose.array, store: store)
    }
    call.setContext(caller)
    let response = call.arena.make(Twind__V1__OpenSessionResponse.self)
    response.pointee.agent = call.arena.string(caller.agent.bytes)
    call.reply(response)
  }
}
