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
    let reply = try call(AdminServiceRoutes.getServerInfo) { _, _ in }
    let message = reply.message.pointee
    return ServerInfo(
      version: String(cString: message.version), sequence: message.sequence,
      durability: Durability(message.durability), isDev: message.dev != 0, startTime: message.start_time,
      socket: String(cString: message.socket), dataDirectory: String(cString: message.data_dir), pid: message.pid,
      limits: messages(message.limits, message.n_limits).map {
        (String(cString: $0.pointee.name), $0.pointee.value)
      })
  }

  public func stats() throws(RPCError) -> ServerStats {
    let reply = try call(AdminServiceRoutes.getStats) { _, _ in }
    let message = reply.message.pointee
    return ServerStats(
      counts: [
        ("sequence", message.sequence), ("twin_count", message.twin_count),
        ("dirty_twin_count", message.dirty_twin_count), ("twin_bytes", message.twin_bytes),
        ("connection_count", message.connection_count), ("stream_count", message.stream_count),
        ("watch_count", message.watch_count), ("call_count", message.call_count), ("feed_bytes", message.feed_bytes),
        ("feed_oldest_sequence", message.feed_oldest_sequence), ("checkpoint_count", message.checkpoint_count),
        ("checkpoint_sequence", message.checkpoint_sequence),
        ("checkpoint_time", UInt64(clamping: message.checkpoint_time)),
        ("checkpoint_duration_micros", UInt64(clamping: message.checkpoint_duration_micros)),
        ("checkpoint_twin_count", message.checkpoint_twin_count),
        ("uptime_micros", UInt64(clamping: message.uptime_micros)), ("resident_bytes", message.resident_bytes),
        ("log_dropped_count", message.log_dropped_count),
      ], checkpointError: String(cString: message.checkpoint_error))
  }

  public func checkpoint() throws(RPCError) -> CheckpointResult {
    let reply = try call(AdminServiceRoutes.checkpoint) { _, _ in }
    let message = reply.message.pointee
    return CheckpointResult(
      sequence: message.sequence, twinCount: message.twin_count, durationMicros: message.duration_micros)
  }

  /// Whether the daemon, or one of its services, can serve. Throws NOT_FOUND for an unknown service.
  public func health(_ service: String = "") throws(RPCError) -> HealthService.Status {
    let reply = try call(HealthRoutes.check) { arena, request in request.pointee.service = arena.string(service) }
    return HealthService.Status(rawValue: UInt32(reply.message.pointee.status.rawValue)) ?? .unknown
  }
}
