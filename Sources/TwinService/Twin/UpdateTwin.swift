// UpdateTwin: changes one twin atomically.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func updateTwin(
    _ request: UnsafePointer<Twind__V1__UpdateTwinRequest>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let result = try commit("UpdateTwin", call) { (agent) throws(TwinError) in
      try Command(update: request, agent: agent)
    }
    let response = call.arena.make(Twind__V1__UpdateTwinResponse.self)
    response.pointee.sequence = result.sequence
    response.pointee.revision = result.revisions[0]
    response.pointee.durability = store.durability
    response.pointee.fact_count = UInt32(result.factCount)
    call.reply(response)
  }

  /// Makes a command of the call's agent and commits it.
  func commit(
    _ method: StaticString, _ call: borrowing UnaryCall, _ command: (Text) throws(TwinError) -> Command
  ) throws(RPCError) -> CommitResult {
    let hash = RequestHash.of(method: method, payload: call.payload)
    let agent = agents.agent(of: call)
    return try onWire { () throws(TwinError) in
      try Text.lending(agent) { (agent) throws(TwinError) in
        try store.commit(command(agent), requestHash: hash)
      }
    }
  }
}
