// BatchUpdateTwins: changes several twins in one commit, all or nothing.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func batchUpdateTwins(
    _ request: UnsafePointer<Twind__V1__BatchUpdateTwinsRequest>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let result = try commit("BatchUpdateTwins", call) { (agent) throws(TwinError) in
      try Command(batch: request, agent: agent)
    }
    let response = call.arena.make(Twind__V1__BatchUpdateTwinsResponse.self)
    response.pointee.sequence = result.sequence
    response.pointee.durability = store.durability
    response.pointee.fact_count = UInt32(result.factCount)
    let revisions = call.arena.array(UInt64.self, count: result.revisions.count)
    for (index, revision) in result.revisions.enumerated() { revisions[index] = revision }
    response.pointee.n_revisions = result.revisions.count
    response.pointee.revisions = revisions
    call.reply(response)
  }
}
