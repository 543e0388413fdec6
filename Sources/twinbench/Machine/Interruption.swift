// SIGINT and SIGTERM: everything that the run made goes away before the process ends.

import Dispatch
import Foundation
import Threads

/// Knows all scratch directories. Handlers run on a queue of their own, while the run goes on.
final class Interruption: @unchecked Sendable {
  static let shared = Interruption()

  private let lock = Lock()
  // Guarded by `lock`.
  private var scratches: [Scratch] = []
  private var isHappening = false
  private var signals: [any DispatchSourceSignal] = []

  private init() {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in end(128 + number) }
      source.resume()
      signals.append(source)
    }
  }

  func add(_ scratch: Scratch) { lock.withLock { scratches.append(scratch) } }

  /// Does not return while a signal is being handled: the run then fails because its daemon went away, which is no
  /// error to report.
  func waitIfHappening() {
    while lock.withLock({ isHappening }) { sleep(1) }
  }

  private func end(_ status: Int32) {
    let all = lock.withLock {
      isHappening = true
      return scratches
    }
    for scratch in all { scratch.clear() }
    _exit(status)
  }
}
