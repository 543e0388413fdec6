// Reads of twins that are not in memory: a worker loads them, then the call is answered as if it had just arrived.

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

/// Answers a call from its payload, or returns what has to be loaded first. With `isLast`, as much as allowed has been
/// loaded, and missing twins are errors. Runs on the call's thread.
typealias Answer =
  @Sendable (_ payload: UnsafeRawBufferPointer, ServerCall, _ isLast: Bool) throws(RPCError) -> ColdNames?

extension TwinService {
  /// Holds the call, and later calls of its connection, until the twins are loaded and it is answered.
  func load(_ cold: ColdNames, for call: borrowing UnaryCall, then answer: @escaping Answer) {
    load(cold, for: call.deferredInOrder(), [UInt8](call.payload), then: answer)
  }

  func load(_ cold: ColdNames, for call: ServerCall, _ payload: [UInt8], then answer: @escaping Answer) {
    ColdLoad(cold, self, call) { [self] call in run(answer, payload, call, isLast: true) }.begin()
  }

  /// Answers the call, or loads what is missing.
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
}

/// Loads what a call needs, in slices; other jobs can run in between. Used by one thread at a time.
private final class ColdLoad: @unchecked Sendable {
  /// How many twins are read before other jobs run.
  private static let sliceTwins = 32

  private let names: [[UInt8]]
  private var next = 0
  /// Keeps them in memory until the call is answered, whatever others read meanwhile.
  private let pinned: PinnedTwins
  private let store: Store
  private let workers: Workers
  private let call: ServerCall
  private let answer: @Sendable (ServerCall) -> Void

  init(
    _ cold: ColdNames, _ service: TwinService, _ call: ServerCall, then answer: @escaping @Sendable (ServerCall) -> Void
  ) {
    names = cold.names
    store = service.store
    pinned = store.pinNone()
    workers = service.lanes.cold
    self.call = call
    self.answer = answer
  }

  func begin() {
    do throws(RPCError) {
      try workers.submit(for: call) { [self] in run() }
    } catch {
      call.fail(error)
    }
  }

  private func run() {
    guard !call.isEnded else { return }
    do throws(RPCError) {
      if try !step() { return try workers.resubmit(for: call) { [self] in run() } }
      call.onThread { [self] call in
        answer(call)
        withExtendedLifetime(pinned) {}
      }
    } catch {
      call.complete(.failure(error))
    }
  }

  /// Whether it was the last slice: all twins are loaded, or as many as allowed.
  private func step() throws(RPCError) -> Bool {
    let end = min(names.count, next + Self.sliceTwins)
    let before = pinned.byteCount
    while next < end && pinned.byteCount < ServiceLimits.coldTwinBytesMax {
      try onWire { () throws(TwinError) in try store.pin(names[next], into: pinned) }
      next += 1
    }
    try call.reserve(pinned.byteCount - before)
    return next == names.count || pinned.byteCount >= ServiceLimits.coldTwinBytesMax
  }
}
