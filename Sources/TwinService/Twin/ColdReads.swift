// Reads of twins that are not in memory: a worker loads them, then the call is answered as if it came now.

import TTRPC
import TwinCore
import TwinStore

/// Twins that have to be loaded before a call can be answered.
struct ColdNames: Sendable {
  var names: [[UInt8]] = []

  init() {}
  init(_ name: TwinName) { names = [name.array] }

  mutating func add(_ name: TwinName) { names.append(name.array) }
}

/// Answers a call from its payload, or says what has to be loaded first. On the call's thread.
typealias Answer = @Sendable (_ payload: UnsafeRawBufferPointer, ServerCall) throws(RPCError) -> ColdNames?

extension TwinService {
  /// Keeps the call, and what came behind it on its connection, until the twins are loaded and it is answered.
  func load(_ cold: ColdNames, for call: borrowing UnaryCall, then answer: @escaping Answer) {
    load(cold, for: call.deferredInOrder(), [UInt8](call.payload), then: answer)
  }

  func load(_ cold: ColdNames, for call: ServerCall, _ payload: [UInt8], then answer: @escaping Answer) {
    do throws(RPCError) {
      try workers.submit { [self] in
        guard !call.isEnded else { return }
        do throws(TwinError) {
          try load(cold)
        } catch {
          return call.complete(.failure(RPCError(error)))
        }
        call.onThread { [self] call in run(answer, payload, call) }
      }
    } catch {
      call.fail(error)
    }
  }

  /// Answers, or loads what is missing again: it may have been dropped meanwhile.
  func run(_ answer: @escaping Answer, _ payload: [UInt8], _ call: ServerCall) {
    guard !call.isEnded else { return }
    do throws(RPCError) {
      let cold = try payload.withUnsafeBufferPointer { (bytes) throws(RPCError) in
        try answer(UnsafeRawBufferPointer(bytes), call)
      }
      if let cold { load(cold, for: call, payload, then: answer) }
    } catch {
      call.fail(error)
    }
  }

  /// On a thread that may block.
  func load(_ cold: ColdNames) throws(TwinError) {
    for name in cold.names {
      try name.withUnsafeBufferPointer { (bytes) throws(TwinError) in
        try store.load([TwinName(unchecked: UnsafeRawBufferPointer(bytes))])
      }
    }
  }
}
