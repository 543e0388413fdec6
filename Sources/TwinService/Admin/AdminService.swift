// twind.v1.AdminService. Each method has a file of its own in this folder.

import CTwindProto
import Glibc
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

/// The service for operators.
package final class AdminService: Sendable {
  /// What stays the same while the daemon runs.
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
  /// The server's statistics. Not to be called on one of the server's threads.
  let statistics: @Sendable () -> Server.Statistics
  /// The name and value of each method's request limit.
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
    router.unary(AdminServiceRoutes.getServerInfo) { (_, call) throws(RPCError) in
      self.getServerInfo(call)
    }
    router.unary(AdminServiceRoutes.getStats) { (_, call) throws(RPCError) in
      try self.getStats(call)
    }
    router.unary(AdminServiceRoutes.checkpoint) { (_, call) throws(RPCError) in
      try self.checkpoint(call)
    }
    router.stream(AdminServiceRoutes.backup) { (call) throws(RPCError) in
      self.backup(call)
    }
    router.stream(AdminServiceRoutes.exportFacts) { (call) throws(RPCError) in
      self.exportFacts(call)
    }
  }

  /// The daemon's own user and root.
  @Sendable static func isOperator(_ peer: Peer) -> Bool { peer.uid == 0 || peer.uid == geteuid() }

  /// The router's gate for operators.
  @Sendable package static func authorize(_ peer: Peer) throws(RPCError) {
    if isOperator(peer) { return }
    let uid = peer.uid
    throw RPCError(
      .permissionDenied, "user \(uid) may not call twind.v1.AdminService: call as root or as user \(geteuid())")
  }

  /// Replies from one of the lane's threads.
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
