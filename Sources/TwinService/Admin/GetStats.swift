// GetStats: the daemon's statistics. A worker collects them, since it has to wait for each reactor.

import CLinux
import CTwindProto
import Glibc
import TTRPC
import TwinRoutes
import TwinStore

extension AdminService {
  func getStats(_ call: borrowing UnaryCall) throws(RPCError) {
    try later(on: lanes.operators, call) { [self] in .success(stats()) }
  }

  private func stats() -> [UInt8] {
    let arena = Arena(chunkBytes: 4096)
    let response = arena.make(Twind__V1__GetStatsResponse.self)
    describe(store.stats, in: response, arena)
    let served = statistics()
    response.pointee.connection_count = UInt64(served.connections)
    response.pointee.stream_count = UInt64(served.streams)
    response.pointee.call_count = served.calls
    response.pointee.buffer_bytes = UInt64(served.bufferBytes)
    response.pointee.buffer_bytes_max = UInt64(served.bufferBytesMax)
    response.pointee.warning = arena.string(store.troubles.joined(separator: "\n"))
    response.pointee.watch_count = UInt64(twins.watches.count)
    response.pointee.uptime_micros = twind_wall_micros() - identity.startTime
    response.pointee.resident_bytes = Self.residentBytes()
    response.pointee.log_dropped_count = droppedLogLines()
    return response.encoded()
  }

  private func describe(
    _ stored: StoreStats, in response: UnsafeMutablePointer<Twind__V1__GetStatsResponse>, _ arena: Arena
  ) {
    response.pointee.sequence = stored.sequence
    response.pointee.synced_sequence = stored.syncedSequence
    response.pointee.failure = arena.string(stored.failure?.description ?? "")
    response.pointee.twin_count = UInt64(stored.twinCount)
    response.pointee.resident_twin_count = UInt64(stored.residentCount)
    response.pointee.dirty_twin_count = UInt64(stored.dirtyCount)
    response.pointee.twin_bytes = UInt64(stored.twinBytes)
    response.pointee.memory_bytes_max = UInt64(stored.memoryBytesMax)
    response.pointee.eviction_count = stored.evictionCount
    response.pointee.cold_read_count = stored.coldReadCount
    response.pointee.fact_count = UInt64(stored.factCount)
    response.pointee.feed_bytes = UInt64(stored.feedBytes)
    response.pointee.feed_oldest_sequence = stored.feedOldestSequence
    response.pointee.journal_bytes = UInt64(stored.journal.byteCount)
    response.pointee.journal_segment_count = UInt64(stored.journal.segmentCount)
    response.pointee.journal_sync_count = stored.journal.syncCount
    response.pointee.recovery_commit_count = UInt64(stored.recovery.commitCount)
    response.pointee.recovery_bytes_cut = UInt64(stored.recovery.bytesCut)
    response.pointee.recovery_duration_micros = stored.recovery.durationMicros
    response.pointee.checkpoint_count = UInt64(stored.checkpointCount)
    response.pointee.checkpoint_rows_done = UInt64(stored.checkpointRowsDone)
    response.pointee.checkpoint_rows_total = UInt64(stored.checkpointRowsTotal)
    response.pointee.checkpoint_error = arena.string(stored.checkpointError?.description ?? "")
    guard let last = stored.lastCheckpoint else { return }
    response.pointee.checkpoint_sequence = last.sequence
    response.pointee.checkpoint_time = last.endedAt
    response.pointee.checkpoint_duration_micros = last.durationMicros
    response.pointee.checkpoint_twin_count = UInt64(last.twinCount)
  }

  /// The second number in /proc/self/statm, in pages; 0 if it is not available.
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
