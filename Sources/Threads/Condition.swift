// What threads wait for while they give a lock away.

import CLinux
import Glibc

/// A condition variable on the monotonic clock.
package struct Condition: ~Copyable, @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  /// - Parameter lock: held by whoever waits; must live as long as the condition.
  package init(_ lock: borrowing Lock) {
    mutex = lock.mutex
    condition = .allocate(capacity: 1)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    let result = pthread_cond_init(condition, &attributes)
    precondition(result == 0, "pthread_cond_init failed with \(result)")
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    condition.deallocate()
  }

  package borrowing func signal() { pthread_cond_signal(condition) }

  package borrowing func broadcast() { pthread_cond_broadcast(condition) }

  /// Releases the lock, waits to be woken or until the deadline on the monotonic clock (`UInt64.max` = none), and takes
  /// the lock again. May return early.
  package borrowing func wait(until deadlineNanos: UInt64 = .max) {
    guard deadlineNanos != .max else {
      pthread_cond_wait(condition, mutex)
      return
    }
    var time = timespec(tv_sec: Int(deadlineNanos / 1_000_000_000), tv_nsec: Int(deadlineNanos % 1_000_000_000))
    pthread_cond_timedwait(condition, mutex, &time)
  }
}
