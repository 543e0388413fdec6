// DeleteTwin: deletes one twin. Its revision lives on.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func deleteTwin(
    _ request: UnsafePointer<Twind__V1__DeleteTwinRequest>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let result = try commit("DeleteTwin", call) { (agent) throws(TwinError) in
      try Command(delete: request, agent: agent)
    }
    let response = call.arena.make(Twind__V1__DeleteTwinResponse.self)
    response.pointee.sequence = result.sequence
    response.pointee.revision = result.revisions[0]
    response.pointee.durability = store.durability
    call.reply(response)
  }
}
