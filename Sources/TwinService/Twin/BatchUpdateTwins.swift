// BatchUpdateTwins: changes several twins in one commit, atomically.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

enum BatchUpdateTwins: WriteMethod {
  static let name: StaticString = "BatchUpdateTwins"

  static func command(
    _ request: UnsafePointer<Twind__V1__BatchUpdateTwinsRequest>, from caller: Caller
  ) throws(TwinError) -> Command {
    try Command(batch: request, agent: caller.agent, defaultPurpose: caller.defaultPurpose)
  }

  static func fill(
    _ response: UnsafeMutablePointer<Twind__V1__BatchUpdateTwinsResponse>, _ outcome: CommitOutcome, _ arena: Arena
  ) {
    let result = outcome.result
    response.pointee.sequence = result.sequence
    response.pointee.durability = outcome.durability.wire
    response.pointee.fact_count = UInt32(result.factCount)
    let revisions = arena.array(UInt64.self, count: result.revisions.count)
    for (index, revision) in result.revisions.enumerated() { revisions[index] = revision }
    response.pointee.n_revisions = result.revisions.count
    response.pointee.revisions = revisions
  }
}
