// Reads with a min_sequence that is not visible yet wait for it, for a limited time.

import CLinux
import TTRPC
import TwinCore
import TwinStore

/// Receives the reply of a unary call, now or later.
protocol TwinReplying: ~Copyable {
  /// Valid while the call is being handled.
  var caller: Unmanaged<Caller> { get }
  func reply(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void)
}

extension UnaryCall: TwinReplying {}
extension ServerCall: TwinReplying {}

extension TwinService {
  /// Whether reads already include the sequence. Throws OUT_OF_RANGE if they never will.
  @inline(__always)
  func isVisible(_ sequence: UInt64) throws(RPCError) -> Bool {
    if sequence == 0 { return true }
    return try onWire { () throws(TwinError) in try store.isVisible(sequence) }
  }

  /// Holds the call until the sequence is visible, then answers it; OUT_OF_RANGE if that takes too long.
  func park(_ call: borrowing UnaryCall, until sequence: UInt64, then answer: @escaping Answer) {
    let payload = [UInt8](call.payload)
    let latest = twind_monotonic_nanos() + ServiceLimits.sequenceWaitNanosMax
    let parked = call.deferred(until: latest, else: RPCError(store.notVisible(sequence)))
    let place = sequences.wait(for: sequence) { [self] in
      parked.onThread { [self] parked in run(answer, payload, parked) }
    }
    parked.onCancelled = { [sequences] in sequences.forget(place) }
  }
}
