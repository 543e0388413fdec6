// What operators ask the daemon.

import CTTRPCProto
import CTwindProto
import TTRPC
import TwinRoutes

/// What a daemon is and which limits it enforces.
public struct ServerInfo: Sendable {
  public let version: String
  public let sequence: UInt64
  /// Of a write that names none.
  public let durability: Durability
  public let isDev: Bool
  /// Microseconds since the epoch.
  public let startTime: Int64
  public let socket: String
  public let dataDirectory: String
  public let pid: Int32
  public let limits: [(name: String, value: UInt64)]
}

/// What a daemon is doing now. The fields are those of twind.v1.GetStatsResponse, in its order.
public struct ServerStats: Sendable {
  public let counts: [(name: String, value: UInt64)]
  /// Why the last checkpoint failed; empty = it did not.
  public let checkpointError: String
  /// Why writes are refused; empty = they are not.
  public let failure: String
  /// What somebody should look at although everything is served; empty = nothing.
  public let warning: String

  /// One of the counts; 0 when there is none of this name.
  public subscript(name: String) -> UInt64 { counts.first { $0.name == name }?.value ?? 0 }
}

/// A checkpoint that was made.
public struct CheckpointResult: Sendable {
  /// Everything up to this sequence is in the database.
  public let sequence: UInt64
  /// Rows written.
  public let twinCount: UInt64
  public let durationMicros: Int64
}

extension TwindClient {
  public func serverInfo() throws(RPCError) -> ServerInfo {
    try call(AdminServiceRoutes.getServerInfo) { _, _ in }.read { reply in
      let message = reply.pointee
      return ServerInfo(
        version: String(cString: message.version), sequence: message.sequence,
        durability: Durability(message.durability), isDev: message.dev != 0, startTime: message.start_time,
        socket: String(cString: message.socket), dataDirectory: String(cString: message.data_dir), pid: message.pid,
        limits: messages(message.limits, message.n_limits).map {
          (String(cString: $0.pointee.name), $0.pointee.value)
        })
    }
  }

  public func stats() throws(RPCError) -> ServerStats {
    try call(AdminServiceRoutes.getStats) { _, _ in }.read { ServerStats($0.pointee) }
  }

  public func checkpoint() throws(RPCError) -> CheckpointResult {
    try call(AdminServiceRoutes.checkpoint) { _, _ in }.read { reply in
      CheckpointResult(
        sequence: reply.pointee.sequence, twinCount: reply.pointee.twin_count,
        durationMicros: reply.pointee.duration_micros)
    }
  }

  /// Whether the daemon, or one of its services, can serve. Throws NOT_FOUND for an unknown service.
  public func health(_ service: String = "") throws(RPCError) -> HealthService.Status {
    let reply = try call(HealthRoutes.check) { arena, request in request.pointee.service = arena.string(service) }
    return reply.read { HealthService.Status(rawValue: UInt32($0.pointee.status.rawValue)) ?? .unknown }
  }
}

extension ServerStats {
  fileprivate init(_ message: Twind__V1__GetStatsResponse) {
    counts = [
      ("sequence", message.sequence), ("synced_sequence", message.synced_sequence),
      ("twin_count", message.twin_count), ("fact_count", message.fact_count),
      ("resident_twin_count", message.resident_twin_count), ("dirty_twin_count", message.dirty_twin_count),
      ("twin_bytes", message.twin_bytes), ("memory_bytes_max", message.memory_bytes_max),
      ("eviction_count", message.eviction_count), ("cold_read_count", message.cold_read_count),
      ("connection_count", message.connection_count), ("stream_count", message.stream_count),
      ("watch_count", message.watch_count), ("call_count", message.call_count), ("feed_bytes", message.feed_bytes),
      ("feed_oldest_sequence", message.feed_oldest_sequence), ("journal_bytes", message.journal_bytes),
      ("journal_segment_count", message.journal_segment_count), ("journal_sync_count", message.journal_sync_count),
      ("checkpoint_count", message.checkpoint_count), ("checkpoint_sequence", message.checkpoint_sequence),
      ("checkpoint_time", UInt64(clamping: message.checkpoint_time)),
      ("checkpoint_duration_micros", UInt64(clamping: message.checkpoint_duration_micros)),
      ("checkpoint_twin_count", message.checkpoint_twin_count),
      ("checkpoint_rows_done", message.checkpoint_rows_done),
      ("checkpoint_rows_total", message.checkpoint_rows_total),
      ("recovery_commit_count", message.recovery_commit_count), ("recovery_bytes_cut", message.recovery_bytes_cut),
      ("recovery_duration_micros", UInt64(clamping: message.recovery_duration_micros)),
      ("uptime_micros", UInt64(clamping: message.uptime_micros)), ("resident_bytes", message.resident_bytes),
      ("log_dropped_count", message.log_dropped_count), ("buffer_bytes", message.buffer_bytes),
      ("buffer_bytes_max", message.buffer_bytes_max),
    ]
    checkpointError = String(cString: message.checkpoint_error)
    failure = String(cString: message.failure)
    warning = String(cString: message.warning)
  }
}
