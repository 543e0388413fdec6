// Logs clients that speak gRPC or HTTP, at most once a minute.

import CLinux
import Logging
import Synchronization
import TTRPC

final class ForeignCallers: Sendable {
  private static let pauseNanos: UInt64 = 60_000_000_000

  private let logger: Logger
  /// When the last line was logged, on the monotonic clock; 0: never.
  private let toldAt = Atomic<UInt64>(0)

  init(_ logger: Logger) { self.logger = logger }

  /// May be called from any thread.
  func note(_ sentence: String, _ peer: Peer) {
    let now = twind_monotonic_nanos()
    let last = toldAt.load(ordering: .relaxed)
    guard last == 0 || now &- last > Self.pauseNanos else { return }
    guard toldAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged else { return }
    logger.warning("\(sentence)", metadata: ["uid": "\(peer.uid)"])
  }
}
