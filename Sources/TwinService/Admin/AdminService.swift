// twind.v1.AdminService: one file for each method beside this one.

import CTwindProto
import Glibc
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

/// Tells operators what the daemon is and does.
package final class AdminService: Sendable {
  /// What does not change while the daemon runs.
  package struct Identity: Sendable {
    package var version: String
    package var socket: String
    package var dataDirectory: String
    package var isDev: Bool
    /// Microseconds since the epoch.
    package var startTime: Int64
    package var limits: [(name: String, value: UInt64)]

    package init(
      version: String, socket: String, dataDirectory: String, isDev: Bool, startTime: Int64,
      rpcLimits: TTRPC.Limits, descriptorsMax: Int
    ) {
      self.version = version
      self.socket = socket
      self.dataDirectory = dataDirectory
      self.isDev = isDev
      self.startTime = startTime
      let own = [(name: "descriptorsMax", value: UInt64(descriptorsMax))]
      limits = own + rpcLimits.named + TwinCore.Limits.all + ServiceLimits.named
    }
  }

  let identity: Identity
  let store: Store
  let twins: TwinService
  let lanes: Lanes
  /// Counts of the server, which cannot be asked from one of its own threads.
  let statistics: @Sendable () -> Server.Statistics
  /// Name and value of the largest request of each method.
  let requestLimits: @Sendable () -> [(name: String, value: UInt64)]
  let droppedLogLines: @Sendable () -> UInt64

  package init(
    _ identity: Identity, twins: TwinService, statistics: @escaping @Sendable () -> Server.Statistics,
    requestLimits: @escaping @Sendable () -> [(name: String, value: UInt64)],
    droppedLogLines: @escaping @Sendable () -> UInt64
  ) {
    var identity = identity
    identity.limits += twins.store.options.limits
    self.identity = identity
    self.twins = twins
    self.statistics = statistics
    self.requestLimits = requestLimits
    self.droppedLogLines = droppedLogLines
    store = twins.store
    lanes = twins.lanes
  }

  /// Adds all methods.
  package func register(in router: inout Router) {
    let gate: Gate = { (peer) throws(RPCError) in try Self.authorize(peer) }
    router.unary(AdminServiceRoutes.getServerInfo, gate: gate) { (_, call) throws(RPCError) in
      self.getServerInfo(call)
    }
    router.unary(AdminServiceRoutes.getStats, gate: gate) { (_, call) throws(RPCError) in
      try self.getStats(call)
    }
    router.unary(AdminServiceRoutes.checkpoint, gate: gate) { (_, call) throws(RPCError) in
      try self.checkpoint(call)
    }
    router.stream(AdminServiceRoutes.backup, gate: gate) { (call) throws(RPCError) in
      self.backup(call)
    }
    router.stream(AdminServiceRoutes.exportFacts, gate: gate) { (call) throws(RPCError) in
      self.exportFacts(call)
    }
  }

  /// The daemon's own user and root.
  @Sendable static func isOperator(_ peer: Peer) -> Bool { peer.uid == 0 || peer.uid == geteuid() }

  /// Operators may call.
  static func authorize(_ peer: Peer) throws(RPCError) {
    if isOperator(peer) { return }
    let uid = peer.uid
    throw RPCError(
      .permissionDenied, "user \(uid) may not call twind.v1.AdminService: call as root or as user \(geteuid())")
  }

  /// Answers from one of the lane's threads.
  func later(
    on lane: Workers, _ call: borrowing UnaryCall, _ body: @escaping @Sendable () -> Result<[UInt8], RPCError>
  ) throws(RPCError) {
    let deferred = call.deferred()
    do {
      try lane.submit(for: deferred) { deferred.complete(body()) }
    } catch {
      deferred.fail(error)
    }
  }
}
