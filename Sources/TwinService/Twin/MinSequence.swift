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
    let bell = BellHolder()
    let retry: @Sendable (ServerCall) -> Void = { [self] parked in
      guard !parked.isEnded else { return }
      bell.arm()
      guard store.head >= sequence else { return }
      bell.remove(from: store.feed)
      run(answer, payload, parked)
    }
    bell.add(to: store.feed) { parked.onThread(retry) }
    parked.onCancelled = { [store] in bell.remove(from: store.feed) }
    retry(parked)
  }
}

/// A bell of the feed that is taken down once. Confined to the call's thread.
private final class BellHolder: @unchecked Sendable {
  private var bell: FeedBell?

  func add(to feed: Feed, ring: @escaping @Sendable () -> Void) {
    let bell = FeedBell(ring: ring)
    feed.add(bell)
    self.bell = bell
  }

  func arm() { bell?.arm() }

  func remove(from feed: Feed) {
    if let bell { feed.remove(bell) }
    bell = nil
  }
}
