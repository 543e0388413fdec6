// The steps that a runner calls: the daemon's on threads, the simulator's in a seeded loop. (`checkpoint` stands in
// Checkpoint.swift.)

import TwinCore

extension Store {
  /// Syncs everything committed so far, in one group. To be called when somebody waits, and at least every second.
  package func sync() throws(StoreError) { try section.sync() }

  /// Makes the journal's next segment, when there is none yet. A full disk is an error, but no failure of the store;
  /// nor is a shortage of descriptors or memory.
  package func prepareSegment() throws(StoreError) { try section.prepareSegment() }

  /// Writes commits that asked for MEMORY only. To be called every 10 ms.
  package func flush() throws(StoreError) { try section.flushMemory() }

  /// Whether somebody waits for a sync.
  package var wantsSync: Bool { !section.waiters.isEmpty }

  /// Waits until as many writers are waiting for a sync as wrote together recently, until this time on the monotonic clock
  /// at the latest.
  package func gatherWriters(until nanos: UInt64) { section.waiters.gather(until: nanos, section.clock) }

  /// Whether commits wait to be written.
  package var wantsFlush: Bool { section.lock.withLock { section.journal.bufferedBytes > 0 } }

  /// Whether commits have to wait at this moment, and with them who would stop them: for a runner with one thread.
  package var isCommitting: Bool {
    guard section.lock.tryLock() else { return true }
    section.lock.unlock()
    return false
  }

  /// Rings when there is something to do at once.
  package var bell: WorkBell { section.bell }

  /// Why writes are refused; nil = they are not.
  package var failure: StoreError? { section.lock.withLock { section.failure } }
}
