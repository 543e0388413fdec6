// What operators ask the daemon.

import CProtobufC
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

/// A daemon's statistics. The fields are those of twind.v1.GetStatsResponse, in its order.
public struct ServerStats: Sendable {
  public let counts: [(name: String, value: UInt64)]
  /// Why the last checkpoint failed; empty: it did not.
  public let checkpointError: String
  /// Why writes are refused; empty: they are not.
  public let failure: String
  /// Problems to look at although everything is served; empty: none.
  public let warning: String

  /// A count by its name; 0 if there is no such count.
  public subscript(name: String) -> UInt64 { counts.first { $0.name == name }?.value ?? 0 }
}

/// The result of a checkpoint.
public struct CheckpointResult: Sendable {
  /// Everything up to this sequence is in the database.
  public let sequence: UInt64
  /// How many rows were written.
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
    try call(AdminServiceRoutes.getStats) { _, _ in }.read { ServerStats($0) }
  }

  public func checkpoint() throws(RPCError) -> CheckpointResult {
    try call(AdminServiceRoutes.checkpoint) { _, _ in }.read { reply in
      CheckpointResult(
        sequence: reply.pointee.sequence, twinCount: reply.pointee.twin_count,
        durationMicros: reply.pointee.duration_micros)
    }
  }

  /// The health of the daemon, or of one of its services. Throws NOT_FOUND for an unknown service.
  public func health(_ service: String = "") throws(RPCError) -> HealthService.Status {
    let reply = try call(HealthRoutes.check) { arena, request in request.pointee.service = arena.string(service) }
    return reply.read { HealthService.Status(rawValue: UInt32($0.pointee.status.rawValue)) ?? .unknown }
  }
}

extension ServerStats {
  /// The counts are what the message declares: a new field is one more of them.
  fileprivate init(_ message: UnsafePointer<Twind__V1__GetStatsResponse>) {
    let type = Twind__V1__GetStatsResponse.descriptor.pointer.pointee
    counts = (0..<Int(type.n_fields)).compactMap { index in
      let field = type.fields[index]
      let place = UnsafeRawPointer(message) + Int(field.offset)
      switch field.type {
      case PROTOBUF_C_TYPE_UINT64: return (String(cString: field.name), place.load(as: UInt64.self))
      case PROTOBUF_C_TYPE_INT64: return (String(cString: field.name), UInt64(clamping: place.load(as: Int64.self)))
      default: return nil
      }
    }
    checkpointError = String(cString: message.pointee.checkpoint_error)
    failure = String(cString: message.pointee.failure)
    warning = String(cString: message.pointee.warning)
  }
}
