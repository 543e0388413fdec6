// UpdateTwin: changes one twin atomically.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

enum UpdateTwin: WriteMethod {
  static let name: StaticString = "UpdateTwin"

  static func command(
    _ request: UnsafePointer<Twind__V1__UpdateTwinRequest>, from caller: Caller
  ) throws(TwinError) -> Command {
    try Command(update: request, agent: caller.agent, defaultPurpose: caller.defaultPurpose)
  }

  static func fill(
    _ response: UnsafeMutablePointer<Twind__V1__UpdateTwinResponse>, _ outcome: CommitOutcome, _ arena: Arena
  ) {
    response.pointee.sequence = outcome.result.sequence
    response.pointee.revision = outcome.result.revisions[0]
    response.pointee.durability = outcome.durability.wire
    response.pointee.fact_count = UInt32(outcome.result.factCount)
  }
}
