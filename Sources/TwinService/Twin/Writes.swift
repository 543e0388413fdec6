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
  static func command(_ request: UnsafePointer<Request>, from caller: Caller) throws(TwinError) -> Command
  /// Fills in the response. Its lists are in the arena.
  static func fill(_ response: UnsafeMutablePointer<Response>, _ outcome: CommitOutcome, _ arena: Arena)
}

extension TwinService {
  func write<Method: WriteMethod>(
    _ method: Method.Type, _ request: UnsafePointer<Method.Request>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let caller = call.caller.takeUnretainedValue()
    // Checking, encoding and writing so much would keep others on this reactor waiting.
    if call.payload.count > ServiceLimits.inlineWriteBytesMax {
      return writeLater(method, [UInt8](call.payload), caller, call.deferredInOrder())
    }
    let attempt: CommitAttempt
    do throws(TwinError) {
      let command = try Method.command(request, from: caller)
      attempt = try store.tryCommit(command, RequestHash(command, method: Method.name, payload: call.payload))
    } catch {
      throw RPCError(refusal(error, for: caller))
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
      writeLater(method, [UInt8](call.payload), caller, call.deferredInOrder())
    }
  }

  private func writeLater<Method: WriteMethod>(
    _ method: Method.Type, _ payload: [UInt8], _ caller: Caller, _ call: ServerCall
  ) {
    do throws(RPCError) {
      try lanes.commits.submit(for: call) { [self] in
        guard !call.isEnded else { return }
        do throws(TwinError) {
          let outcome = try commit(method, payload, caller)
          call.onThread { $0.letOthersPass() }
          answer(method, outcome, call)
        } catch {
          call.onThread { [self] call in call.fail(RPCError(refusal(error, for: caller))) }
        }
      }
    } catch {
      call.fail(error)
    }
  }

  private func commit<Method: WriteMethod>(
    _ method: Method.Type, _ payload: [UInt8], _ caller: Caller
  ) throws(TwinError) -> CommitOutcome {
    let arena = Arena()
    return try payload.withUnsafeBufferPointer { (payload) throws(TwinError) in
      let payload = UnsafeRawBufferPointer(payload)
      guard let request = try? arena.unpack(Method.Request.self, payload) else {
        preconditionFailure("a request is unpacked a second time")
      }
      let command = try Method.command(request, from: caller)
      return try store.commit(command, RequestHash(command, method: Method.name, payload: payload))
    }
  }

  /// The error as the caller may see it: who changed a twin last, and when, is for those who see all of the twin, for
  /// their default purpose: they can read it, whatever purpose the write states. Runs on the caller's thread.
  private func refusal(_ error: TwinError, for caller: Caller) -> TwinError {
    guard case .conflict(let name, _, _, _) = error.detail else { return error }
    let showsAll = name.withUnsafeBytes { name in
      guard let view = try? caller.view(for: .empty) else { return false }
      let lent = store.lend(TwinName(unchecked: name), in: .passUnretained(view))
      guard case .image(let image) = lent.found else { return true }
      return TwinImage(storage: image.takeUnretainedValue()).showsAll(.all, lent.sight)
    }
    return showsAll ? error : error.withoutAuthor
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
