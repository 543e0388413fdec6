// Reads that wait for a sequence. A commit wakes those that it satisfies, without looking at the others.

import HeapModule
import Threads
import TwinStore

final class SequenceWaiters: @unchecked Sendable {
  typealias Wake = @Sendable () -> Void

  private struct Waiter: Comparable {
    let sequence: UInt64
    let place: UInt64

    static func < (left: Waiter, right: Waiter) -> Bool { left.sequence < right.sequence }
  }

  private let store: Store
  private let lock = Lock()
  /// Cancelled waiters stay until they reach the front, or until they are the majority.
  private var order = Heap<Waiter>()
  private var wakes: [UInt64: Wake] = [:]
  private var lastPlace: UInt64 = 0
  private var bell: FeedBell!

  init(_ store: Store) {
    self.store = store
    bell = FeedBell { [weak self] in self?.advance() }
    store.feed.add(bell)
  }

  /// Calls `wake` once when the sequence is visible, at once or on the committing thread, unless it is cancelled
  /// before.
  func wait(for sequence: UInt64, _ wake: @escaping Wake) -> UInt64 {
    let place = lock.withLock {
      lastPlace += 1
      order.insert(Waiter(sequence: sequence, place: lastPlace))
      wakes[lastPlace] = wake
      return lastPlace
    }
    advance()
    return place
  }

  func forget(_ place: UInt64) {
    lock.withLock {
      wakes[place] = nil
      if order.count > 2 * wakes.count + 64 { order = Heap(order.unordered.filter { wakes[$0.place] != nil }) }
    }
  }

  private func advance() {
    // With nobody waiting commits are left alone. Armed before the head is read: a commit after that rings.
    if lock.withLock({ order.isEmpty }) { return }
    bell.arm()
    let head = store.head
    let ready = lock.withLock { () -> [Wake] in
      var ready: [Wake] = []
      while let first = order.min, first.sequence <= head {
        order.removeMin()
        if let wake = wakes.removeValue(forKey: first.place) { ready.append(wake) }
      }
      return ready
    }
    for wake in ready { wake() }
  }
}
