// twind.v1.TwinService and SessionService. Each method has a file of its own.

import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

/// Serves twins. Handlers run on the reactor of the caller's connection; work that reads the disk runs on a worker.
package final class TwinService: Sendable {
  let store: Store
  let agents: Agents
  let lanes: Lanes
  let watches: Watches
  let sequences: SequenceWaiters

  package init(store: Store, agents: Agents, lanes: Lanes) {
    self.store = store
    self.agents = agents
    self.lanes = lanes
    watches = Watches(store: store, workers: lanes.long)
    sequences = SequenceWaiters(store)
  }

  /// Adds all methods. The context of each connection is its caller.
  package func register(in router: inout Router) {
    router.admit = { [store, agents] peer in Caller(peer, agent: Array(agents.name(of: peer.uid).utf8), store: store) }
    router.unary(SessionServiceRoutes.openSession) { (request, call) throws(RPCError) in
      try self.openSession(request, call)
    }
    router.unary(TwinServiceRoutes.getTwin, approach: approachGetTwin) { (request, call) throws(RPCError) in
      try self.getTwin(request, call)
    }
    router.unary(TwinServiceRoutes.batchGetTwins) { (request, call) throws(RPCError) in
      try self.batchGetTwins(request, call)
    }
    router.unary(TwinServiceRoutes.updateTwin) { (request, call) throws(RPCError) in
      try self.write(UpdateTwin.self, request, call)
    }
    router.unary(TwinServiceRoutes.batchUpdateTwins) { (request, call) throws(RPCError) in
      try self.write(BatchUpdateTwins.self, request, call)
    }
    router.unary(TwinServiceRoutes.deleteTwin) { (request, call) throws(RPCError) in
      try self.write(DeleteTwin.self, request, call)
    }
    router.unary(TwinServiceRoutes.listTwins) { (request, call) throws(RPCError) in
      try self.listTwins(request, call)
    }
    router.stream(TwinServiceRoutes.listFacts) { (call) throws(RPCError) in
      self.listFacts(call)
    }
    router.stream(TwinServiceRoutes.watchTwins) { (call) throws(RPCError) in
      self.watchTwins(call)
    }
  }
}
