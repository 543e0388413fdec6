// GetServerInfo: the daemon's version, settings and limits.

import CTwindProto
import Glibc
import TTRPC
import TwinRoutes

extension AdminService {
  func getServerInfo(_ call: borrowing UnaryCall) {
    let arena = call.arena
    let response = arena.make(Twind__V1__GetServerInfoResponse.self)
    response.pointee.version = arena.string(identity.version)
    response.pointee.sequence = store.head
    response.pointee.durability = store.durability.wire
    response.pointee.dev = identity.isDev ? 1 : 0
    response.pointee.start_time = identity.startTime
    response.pointee.socket = arena.string(identity.socket)
    response.pointee.data_dir = arena.string(identity.dataDirectory)
    response.pointee.pid = getpid()
    let limits = (identity.limits + requestLimits()).sorted { $0.name < $1.name }
    response.pointee.n_limits = limits.count
    response.pointee.limits = arena.array(
      limits.map { limit in
        let message = arena.make(Twind__V1__Limit.self)
        message.pointee.name = arena.string(limit.name)
        message.pointee.value = limit.value
        return message
      })
    call.reply(response)
  }
}
