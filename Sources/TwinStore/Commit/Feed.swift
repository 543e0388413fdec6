// The last commits, in memory, for watches: a cursor is a sequence, and reading on from it is a binary search.
//
// Promises: bounded in bytes, evicts from the front. Every commit after `oldest` is in it. Records are shared and
// immutable. The commit section appends, and publishes what has reached the daemon's default durability; any thread
// reads.

import Threads
import DequeModule
import Synchronization
import TwinCore

package final class Feed: @unchecked Sendable {
  private let lock = Lock()
  private let bytesMax: Int
  private var records: Deque<CommitRecord> = []
  private var bytes = 0
  private var oldestResumable: UInt64
  private var newest: UInt64
  /// Commits up to this one may be read.
  private var visible: UInt64
  private var bells: [FeedBell] = []

  /// Empty; the first commit comes after `sequence`.
  init(after sequence: UInt64, bytesMax: Int) {
    oldestResumable = sequence
    newest = sequence
    visible = sequence
    self.bytesMax = bytesMax
  }

  func append(_ record: CommitRecord) {
    lock.withLock {
      precondition(record.sequence > newest, "commits out of order")
      records.append(record)
      newest = record.sequence
      bytes += record.byteCount
      while bytes > bytesMax, let first = records.popFirst() {
        bytes -= first.byteCount
        oldestResumable = first.sequence
      }
    }
  }

  /// Commits up to this sequence have reached the durability at which they may be told.
  func publish(through sequence: UInt64) { lock.withLock { visible = max(visible, min(sequence, newest)) } }

  /// Appends to `result` up to `limit` commits that come after `sequence`, in order, as far as they are published. False
  /// when some of them are no longer here.
  package func read(after sequence: UInt64, limit: Int, into result: inout [CommitRecord]) -> Bool {
    lock.withLock {
      if sequence < oldestResumable { return false }
      let start = firstIndex(after: sequence)
      let end = min(start + limit, max(start, firstIndex(after: visible)))
      for index in start..<end { result.append(records[index]) }
      return true
    }
  }

  private func firstIndex(after sequence: UInt64) -> Int {
    var low = 0
    var high = records.count
    while low < high {
      let middle = (low + high) / 2
      if records[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The oldest sequence that can be resumed from.
  package var oldest: UInt64 { lock.withLock { oldestResumable } }

  package var byteCount: Int { lock.withLock { bytes } }
}

// MARK: - Bells

/// Tells one reader of the feed that there is more. Rings once; `arm` it, then read to the end, then wait.
package final class FeedBell: Sendable {
  private let isArmed = Atomic<Bool>(false)
  private let ring: @Sendable () -> Void

  /// `ring` is called on a committing thread, outside of all locks; it must not block.
  package init(ring: @escaping @Sendable () -> Void) { self.ring = ring }

  /// From now on the next commit rings. What was committed before is to be read after this.
  package func arm() { isArmed.store(true, ordering: .sequentiallyConsistent) }

  func ringIfArmed() {
    guard isArmed.load(ordering: .sequentiallyConsistent) else { return }
    if isArmed.exchange(false, ordering: .sequentiallyConsistent) { ring() }
  }
}

extension Feed {
  package func add(_ bell: FeedBell) { lock.withLock { bells.append(bell) } }

  package func remove(_ bell: FeedBell) { lock.withLock { bells.removeAll { $0 === bell } } }

  /// After a commit is published.
  func ring() {
    for bell in lock.withLock({ bells }) { bell.ringIfArmed() }
  }
}
