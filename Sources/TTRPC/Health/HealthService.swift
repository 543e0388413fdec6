// grpc.health.v1.Health: the health of the server and of its services.

import Threads
import CTTRPCProto

/// The standard health service. Thread-safe.
public final class HealthService: @unchecked Sendable {
  public enum Status: UInt32, Sendable {
    case unknown = 0
    case serving = 1
    case notServing = 2
    case serviceUnknown = 3
  }

  private let lock = Lock()
  private var statuses: [String: Status] = ["": .serving]
  private var watches: [ObjectIdentifier: Watch] = [:]

  public init() {}

  /// Adds Check and Watch, and marks all services that the router has so far as serving.
  public func register(in router: inout Router) {
    for service in router.services { set(service, .serving) }
    router.unary(HealthRoutes.check) { [self] (request, call) throws(RPCError) in
      let service = String(cString: request.pointee.service)
      guard let status = lock.withLock({ statuses[service] }) else {
        throw RPCError(.notFound, "unknown service \(service): use an empty name to ask about the whole server")
      }
      let response = call.arena.make(Grpc__Health__V1__HealthCheckResponse.self)
      response.pointee.status = status.onWire
      call.reply(response)
    }
    router.stream(HealthRoutes.watch) { [self] call in
      call.onMessage = { [self] (call, bytes) throws(RPCError) in
        let request = try call.unpack(Grpc__Health__V1__HealthCheckRequest.self, bytes)
        begin(Watch(call, String(cString: request.pointee.service)))
      }
    }
  }

  /// Changes the status of a service, or of the server if the name is empty, and notifies watchers.
  public func set(_ service: String, _ status: Status) {
    lock.withLock {
      statuses[service] = status
      // Under the lock, so that watches are told in the order of the changes.
      for watch in watches.values where watch.service == service { watch.send(status) }
    }
  }

  /// Sets every status: at a shutdown, or when writes fail.
  public func setAll(_ status: Status) {
    for service in lock.withLock({ statuses.keys.sorted() }) { set(service, status) }
  }

  private func begin(_ watch: Watch) {
    let id = ObjectIdentifier(watch)
    watch.call.onCancelled = { [self] in lock.withLock { _ = watches.removeValue(forKey: id) } }
    lock.withLock {
      watches[id] = watch
      watch.send(statuses[watch.service] ?? .serviceUnknown)
    }
  }

  /// One Watch call.
  private final class Watch: @unchecked Sendable {
    let call: ServerCall
    let service: String
    /// Used on the call's thread only.
    private var last: Status?

    init(_ call: ServerCall, _ service: String) {
      self.call = call
      self.service = service
    }

    /// May be called from any thread.
    func send(_ status: Status) {
      call.onThread { [self] call in
        guard status != last else { return }
        last = status
        let arena = Arena(chunkBytes: 256)
        let response = arena.make(Grpc__Health__V1__HealthCheckResponse.self)
        response.pointee.status = status.onWire
        call.send(response)
      }
    }
  }
}

extension HealthService.Status {
  fileprivate var onWire: Grpc__Health__V1__HealthCheckResponse__ServingStatus {
    Grpc__Health__V1__HealthCheckResponse__ServingStatus(rawValue: rawValue)
  }
}
