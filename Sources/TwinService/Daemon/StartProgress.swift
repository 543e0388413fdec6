// What is logged while the daemon starts, when there is much to read: one line every few seconds.

import Logging
import TwinStore

struct StartProgress {
  private static let interval = Duration.seconds(5)

  private let logger: Logger
  private var loggedAt = ContinuousClock.now

  init(_ logger: Logger) { self.logger = logger }

  mutating func note(_ progress: RecoveryProgress) {
    let now = ContinuousClock.now
    // A migration is worth a line in any case: afterwards an older twind cannot open the store.
    guard now - loggedAt >= Self.interval || Self.begins(progress) else { return }
    loggedAt = now
    let (message, metadata) = Self.line(progress)
    logger.notice(message, metadata: metadata)
  }

  private static func begins(_ progress: RecoveryProgress) -> Bool {
    if case .migrating(0, of: _) = progress { return true }
    return false
  }

  private static func line(_ progress: RecoveryProgress) -> (Logger.Message, Logger.Metadata) {
    switch progress {
    case .migrating(let done, let count):
      ("migrating the database to this version's format", ["twins": "\(done)", "of": "\(count)"])
    case .scanning(let done, let count):
      ("starting: checking the twins", ["twins": "\(done)", "of": "\(count)"])
    case .replaying(let done):
      ("starting: replaying the journal", ["commits": "\(done)"])
    }
  }
}
