// Waiting until what was to be sent has been sent: for changes after whose acknowledgement nothing older may reach a
// client.

import CLinux
import Synchronization

extension Server {
  /// Calls back, on any thread, when every reactor has ended the turn that it is in, and every connection has handed to
  /// the kernel the output that it had then. A connection that has not after `patience` is closed: its client does not
  /// read. Does not call back if the server stops before.
  public func settle(within patience: Duration, then done: @escaping @Sendable () -> Void) {
    let settlement = Settlement(done)
    for _ in reactors { settlement.begin() }
    settlement.end()
    for reactor in reactors {
      reactor.postUrgent {
        let deadline = twind_monotonic_nanos() + UInt64(max(patience.nanos, 0))
        for connection in reactor.connections {
          settlement.begin()
          connection.settle(by: deadline) { settlement.end() }
        }
        settlement.end()
      }
    }
  }
}

/// Counts what is still to be awaited. Whoever makes it is the first that is awaited.
private final class Settlement: Sendable {
  private let count = Atomic(1)
  private let done: @Sendable () -> Void

  init(_ done: @escaping @Sendable () -> Void) { self.done = done }

  func begin() { count.add(1, ordering: .relaxed) }

  func end() {
    if count.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done() }
  }
}
