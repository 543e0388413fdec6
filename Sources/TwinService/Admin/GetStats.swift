// GetStats: what the daemon is doing now. Counted when asked, by a worker, since each reactor must be asked in turn.

import CLinux
import CTwindProto
import Glibc
import TTRPC
import TwinRoutes
import TwinStore

extension AdminService {
  func getStats(_ call: borrowing UnaryCall) throws(RPCError) {
    try later(call) { [self] in .success(stats()) }
  }

  private func stats() -> [UInt8] {
    let arena = Arena(chunkBytes: 4096)
    let response = arena.make(Twind__V1__GetStatsResponse.self)
    let stored = store.stats
    response.pointee.sequence = stored.sequence
    response.pointee.twin_count = UInt64(stored.twinCount)
    response.pointee.dirty_twin_count = UInt64(stored.dirtyCount)
    response.pointee.twin_bytes = UInt64(stored.twinBytes)
    response.pointee.feed_bytes = UInt64(stored.feedBytes)
    response.pointee.feed_oldest_sequence = stored.feedOldestSequence
    response.pointee.checkpoint_count = UInt64(stored.checkpointCount)
    if let last = stored.lastCheckpoint {
      response.pointee.checkpoint_sequence = last.sequence
      response.pointee.checkpoint_time = last.endedAt
      response.pointee.checkpoint_duration_micros = last.durationMicros
      response.pointee.checkpoint_twin_count = UInt64(last.twinCount)
    }
    response.pointee.checkpoint_error = arena.string(stored.checkpointError?.description ?? "")
    let served = statistics()
    response.pointee.connection_count = UInt64(served.connections)
    response.pointee.stream_count = UInt64(served.streams)
    response.pointee.call_count = served.calls
    response.pointee.watch_count = UInt64(twins.watches.count)
    response.pointee.uptime_micros = twind_wall_micros() - identity.startTime
    response.pointee.resident_bytes = Self.residentBytes()
    response.pointee.log_dropped_count = droppedLogLines()
    return response.encoded()
  }

  /// The second number of /proc/self/statm, in pages. 0 when the system does not tell.
  private static func residentBytes() -> UInt64 {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let numbers = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
      separator: " ")
    guard numbers.count > 1, let pages = UInt64(numbers[1]) else { return 0 }
    return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }
}
