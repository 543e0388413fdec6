// What the three writing methods share. They commit on the reactor if that is quick and does not wait, otherwise on the
// commit thread, and reply when the commit is as durable as requested.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

/// A method that writes.
protocol WriteMethod: SendableMetatype {
  associatedtype Request: ProtobufMessage
  associatedtype Response: ProtobufMessage
  static var name: StaticString { get }
  static func command(_ request: UnsafePointer<Request>, agent: Text) throws(TwinError) -> Command
  /// Fills in the response. Its lists are in the arena.
  static func fill(_ response: UnsafeMutablePointer<Response>, _ outcome: CommitOutcome, _ arena: Arena)
}

extension TwinService {
  func write<Method: WriteMethod>(
    _ method: Method.Type, _ request: UnsafePointer<Method.Request>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let agent = agents.agent(of: call)
    // Checking, encoding and writing so much would keep others on this reactor waiting.
    if call.payload.count > ServiceLimits.inlineWriteBytesMax {
      return writeLater(method, [UInt8](call.payload), agent, call.deferredInOrder())
    }
    let attempt = try onWire { () throws(TwinError) in
      try Text.lending(agent) { (agent) throws(TwinError) in
        let command = try Method.command(request, agent: agent)
        return try store.tryCommit(command, RequestHash(command, method: Method.name, payload: call.payload))
      }
    }
    switch attempt {
    case .done(let outcome) where outcome.awaitsSync == 0:
      let response = call.arena.make(Method.Response.self)
      Method.fill(response, outcome, call.arena)
      call.reply(response)
    case .done(let outcome):
      answer(method, outcome, call.deferred())
    case .busy, .cold, .unread, .forgotten:
      // What came behind it on this connection may be about the same twin.
      writeLater(method, [UInt8](call.payload), agent, call.deferredInOrder())
    }
  }

  private func writeLater<Method: WriteMethod>(
    _ method: Method.Type, _ payload: [UInt8], _ agent: String, _ call: ServerCall
  ) {
    do throws(RPCError) {
      try lanes.commits.submit(for: call) { [self] in
        guard !call.isEnded else { return }
        do throws(RPCError) {
          let outcome = try commit(method, payload, agent)
          call.onThread { $0.letOthersPass() }
          answer(method, outcome, call)
        } catch {
          call.complete(.failure(error))
        }
      }
    } catch {
      call.fail(error)
    }
  }

  private func commit<Method: WriteMethod>(
    _ method: Method.Type, _ payload: [UInt8], _ agent: String
  ) throws(RPCError) -> CommitOutcome {
    let arena = Arena()
    return try payload.withUnsafeBufferPointer { (payload) throws(RPCError) in
      let payload = UnsafeRawBufferPointer(payload)
      let request = try arena.unpack(Method.Request.self, payload)
      return try onWire { () throws(TwinError) in
        try Text.lending(agent) { (agent) throws(TwinError) in
          let command = try Method.command(request, agent: agent)
          return try store.commit(command, RequestHash(command, method: Method.name, payload: payload))
        }
      }
    }
  }

  private func answer<Method: WriteMethod>(_ method: Method.Type, _ outcome: CommitOutcome, _ call: ServerCall) {
    store.whenDurable(outcome) { error in
      if let error { return call.complete(.failure(RPCError(error))) }
      let arena = Arena(chunkBytes: 256)
      let response = arena.make(Method.Response.self)
      Method.fill(response, outcome, arena)
      call.complete(.success(response.encoded()))
    }
  }
}
