// DeleteTwin: deletes a twin. Its revision is kept.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

enum DeleteTwin: WriteMethod {
  static let name: StaticString = "DeleteTwin"

  static func command(
    _ request: UnsafePointer<Twind__V1__DeleteTwinRequest>, from caller: Caller
  ) throws(TwinError) -> Command {
    try Command(delete: request, agent: caller.agent, defaultPurpose: caller.defaultPurpose)
  }

  static func fill(
    _ response: UnsafeMutablePointer<Twind__V1__DeleteTwinResponse>, _ outcome: CommitOutcome, _ arena: Arena
  ) {
    response.pointee.sequence = outcome.result.sequence
    response.pointee.revision = outcome.result.revisions[0]
    response.pointee.durability = outcome.durability.wire
  }
}
