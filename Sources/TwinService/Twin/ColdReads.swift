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

/// Answers a call from its payload, or says what has to be loaded first. With `isLast` it does not: as much as may be
/// has been loaded, and what is still missing is an error. On the call's thread.
typealias Answer =
  @Sendable (_ payload: UnsafeRawBufferPointer, ServerCall, _ isLast: Bool) throws(RPCError) -> ColdNames?

extension TwinService {
  /// Keeps the call, and what came behind it on its connection, until the twins are loaded and it is answered.
  func load(_ cold: ColdNames, for call: borrowing UnaryCall, then answer: @escaping Answer) {
    load(cold, for: call.deferredInOrder(), [UInt8](call.payload), then: answer)
  }

  func load(_ cold: ColdNames, for call: ServerCall, _ payload: [UInt8], then answer: @escaping Answer) {
    do throws(RPCError) {
      try lanes.cold.submit(for: call) { [self] in
        guard !call.isEnded else { return }
        do throws(RPCError) {
          // They stay in memory until the call is answered, however much others read meanwhile.
          let pinned = try pin(cold)
          try call.reserve(pinned.byteCount)
          call.onThread { [self] call in
            run(answer, payload, call, isLast: true)
            withExtendedLifetime(pinned) {}
          }
        } catch {
          call.complete(.failure(error))
        }
      }
    } catch {
      call.fail(error)
    }
  }

  /// Answers, or loads what is missing.
  func run(_ answer: @escaping Answer, _ payload: [UInt8], _ call: ServerCall, isLast: Bool = false) {
    guard !call.isEnded else { return }
    do throws(RPCError) {
      let cold = try payload.withUnsafeBufferPointer { (bytes) throws(RPCError) in
        try answer(UnsafeRawBufferPointer(bytes), call, isLast)
      }
      if let cold { load(cold, for: call, payload, then: answer) }
    } catch {
      call.fail(error)
    }
  }

  /// On a thread that may block.
  private func pin(_ cold: ColdNames) throws(RPCError) -> PinnedTwins {
    try onWire { () throws(TwinError) in
      try store.pin(cold.names, bytesMax: ServiceLimits.coldTwinBytesMax)
    }
  }
}
