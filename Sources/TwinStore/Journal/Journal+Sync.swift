// Making records durable: the slow call runs outside of the commit lock, while further records are written.

/// One sync of the newest segment. `run` it outside of the commit lock, then give it back to `endSync`.
package final class SyncTicket: @unchecked Sendable {
  /// Every record up to this sequence is durable once it has ended.
  package let sequence: UInt64
  let end: Int
  let bytes: Int
  private let file: any File
  private(set) var outcome: Result<Void, Errno>?

  init(_ file: any File, end: Int, bytes: Int, sequence: UInt64) {
    self.file = file
    self.end = end
    self.bytes = bytes
    self.sequence = sequence
  }

  /// Syncs, once; `endSync` tells how it went. An interrupted sync has failed: what it left is unknown.
  package func run() {
    precondition(outcome == nil, "a sync is never repeated")
    do throws(Errno) {
      outcome = .success(try file.sync())
    } catch {
      outcome = .failure(error)
    }
  }
}

extension Journal {
  /// Nil when nothing that was flushed is waiting for a sync, or one is running.
  package func beginSync() throws(StoreError) -> SyncTicket? {
    if let failure { throw failure }
    if syncInFlight != nil || !isBehind { return nil }
    let ticket = SyncTicket(file, end: written, bytes: writtenBytes, sequence: lastWritten)
    syncInFlight = ticket
    return ticket
  }

  /// Takes the outcome: `syncedThrough` has advanced when it returns.
  package func endSync(_ ticket: SyncTicket) throws(StoreError) {
    precondition(ticket === syncInFlight, "not the sync that is running")
    syncInFlight = nil
    guard let outcome = ticket.outcome else { preconditionFailure("the sync has not run") }
    try step("sync") { () throws(Errno) in try outcome.get() }
    syncCount += 1
    synced = ticket.end
    syncedBytes = ticket.bytes
    syncedThrough = ticket.sequence
    if end == synced { try mark() }
  }
}
