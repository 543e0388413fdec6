// Syncing the journal, and what happens when that fails.
//
// Promises: fail-stop. After a failed write or sync nothing is tried again until a restart has looked at what is on
// disk; who waits is told UNAVAILABLE, which means that the outcome is not known.

import TwinCore

extension CommitSection {
  /// Syncs all that was committed before, in one group; waits for a sync that runs.
  func sync() throws(StoreError) {
    try checkFiles()
    let target = lock.withLock { journal.appendedBytes }
    while let ticket = try beginSync(through: target) {
      ticket.run()
      try lock.withLock { () throws(StoreError) in
        defer { progress.broadcast() }
        do throws(StoreError) {
          try journal.endSync(ticket)
        } catch {
          latch(error)
          throw error
        }
        noteSynced()
      }
      feed.ring()
    }
  }

  /// Nothing is made durable in files that no start will find.
  func checkFiles() throws(StoreError) {
    try lock.withLock { () throws(StoreError) in
      if let failure { throw failure }
      do throws(StoreError) {
        try files.check()
        try journal.checkFile()
      } catch {
        if error.latches { latch(error) }
        throw error
      }
    }
  }

  /// Nil when all is synced.
  private func beginSync(through target: Int) throws(StoreError) -> SyncTicket? {
    try lock.withLock { () throws(StoreError) in
      while true {
        if let failure { throw failure }
        try write()
        if let ticket = try journal.beginSync() { return ticket }
        if journal.syncedBytes >= target { return nil }
        progress.wait()
      }
    }
  }

  /// Makes the next segment when there is none, and goes over to it when it is due. A full disk is no failure yet, nor
  /// is a shortage of descriptors or memory.
  func prepareSegment() throws(StoreError) {
    let preparation = try lock.withLock { () throws(StoreError) in
      if let failure { throw failure }
      return journal.beginPrepare()
    }
    guard let preparation else { return }
    preparation.run()
    try lock.withLock { () throws(StoreError) in
      defer { progress.broadcast() }
      do throws(StoreError) {
        try journal.endPrepare(preparation)
        shortage = nil
      } catch {
        if error.isTemporary { shortage = error }
        if !error.isTemporary || journal.failure != nil { latch(error) }
        throw error
      }
    }
  }

  /// Waits, bounded, for what keeps the journal from taking a record: a sync that runs, or a segment being made.
  func makeRoom() throws(StoreError) {
    if lock.withLock({ journal.needsNext }) { return try prepareSegment() }
    lock.withLock { progress.wait(until: clock.monotonicNanos() + 10_000_000) }
  }

  /// Writes commits that asked for MEMORY only.
  func flushMemory() throws(StoreError) {
    try lock.withLock { () throws(StoreError) in
      if let failure { throw failure }
      try write()
    }
    feed.ring()
  }

  /// Writes the buffer; `lock` is held.
  func write() throws(StoreError) {
    do throws(StoreError) {
      try journal.flush()
    } catch {
      latch(error)
      throw error
    }
    if options.durability == .journaled { feed.publish(through: journal.lastWritten) }
  }

  /// Tells those who wait; `lock` is held.
  func noteSynced() {
    if options.durability >= .journaled { feed.publish(through: journal.syncedThrough) }
    waiters.advance(to: journal.syncedBytes)
  }

  /// Why writes are refused, if they are; `lock` is held.
  var failure: StoreError? { latched ?? journal.failure }

  /// Notes an error of the database: nothing is written any more if it says that the disk has failed.
  func note(_ error: StoreError) {
    if error.latches { lock.withLock { latch(error) } }
  }

  /// Nothing is written any more; `lock` is held.
  func latch(_ error: StoreError) {
    if latched == nil { latched = error }
    waiters.fail(CommitSection.refusal(error))
    bell.ring()
  }

  /// After the last commit, when no sync runs.
  func closeJournal(isClean: Bool) throws(StoreError) {
    try lock.withLock { () throws(StoreError) in try journal.close(isClean: isClean) }
  }

  func failWaiters() {
    waiters.fail(TwinError(.unavailable, "the daemon stopped before the write was synced: its outcome is unknown"))
  }
}
