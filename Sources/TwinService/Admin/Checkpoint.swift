// Checkpoint: writes everything that is not yet in the database, and replies when that is done.

import CTwindProto
import TTRPC
import TwinRoutes
import TwinStore

extension AdminService {
  func checkpoint(_ call: borrowing UnaryCall) throws(RPCError) {
    try later(on: lanes.maintenance, call) { [store] in
      do throws(StoreError) {
        let report = try store.checkpoint()
        let arena = Arena(chunkBytes: 256)
        let response = arena.make(Twind__V1__CheckpointResponse.self)
        response.pointee.sequence = report.sequence
        response.pointee.twin_count = UInt64(report.twinCount)
        response.pointee.duration_micros = report.durationMicros
        return .success(response.encoded())
      } catch {
        return .failure(RPCError(error))
      }
    }
  }
}
