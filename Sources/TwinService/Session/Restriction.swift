// The barrier of rules that hide more than before.

import TTRPC
import TwinCore
import TwinStore

extension Server {
  /// How long a connection may take to send what was encoded under the rules before; then it is closed.
  private static var patience: Duration { .seconds(1) }

  /// Puts rules in force. Calls back, on any thread, when nothing that they hide can pass to the kernel any more: not of
  /// replies that are being made, nor of those that wait to be sent.
  package func restrict(_ store: Store, to denials: [Denial], then done: @escaping @Sendable () -> Void) {
    store.put(denials)
    settle(within: Self.patience, then: done)
  }
}
