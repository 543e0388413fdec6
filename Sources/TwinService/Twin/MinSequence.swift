// Reads that ask for a sequence that is not there yet wait for it, bounded.

import CLinux
import TTRPC
import TwinCore
import TwinStore

/// Takes the reply of a unary call, now or later.
protocol TwinReplying: ~Copyable {
  func reply(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void)
}

extension UnaryCall: TwinReplying {}
extension ServerCall: TwinReplying {}

extension TwinService {
  /// Whether a read shows the sequence now. Throws OUT_OF_RANGE when none ever will.
  @inline(__always)
  func isVisible(_ sequence: UInt64) throws(RPCError) -> Bool {
    if sequence == 0 { return true }
    return try onWire { () throws(TwinError) in try store.isVisible(sequence) }
  }

  /// Keeps the call until the sequence is visible and then answers it. OUT_OF_RANGE when it does
  /// not become visible in time.
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
