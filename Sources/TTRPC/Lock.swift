// The one lock of the RPC layer.
//
// A heap-allocated pthread mutex, because ThreadSanitizer on Linux reports false races inside Synchronization.Mutex.

import CLinux
import Glibc

/// A mutual-exclusion lock.
package final class Lock: Sendable {
  nonisolated(unsafe) private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  package init() {
    mutex = .allocate(capacity: 1)
    let result = pthread_mutex_init(mutex, nil)
    precondition(result == 0, "pthread_mutex_init failed with \(result)")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  package func lock() { pthread_mutex_lock(mutex) }
  package func unlock() { pthread_mutex_unlock(mutex) }

  @inline(__always)
  package func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }
}

/// A condition that threads holding a `Lock` wait for.
package final class Condition: Sendable {
  private let guarded: Lock
  nonisolated(unsafe) private let condition: UnsafeMutablePointer<pthread_cond_t>

  package init(_ lock: Lock) {
    guarded = lock
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

  package func broadcast() { pthread_cond_broadcast(condition) }

  /// Releases the lock, waits to be woken or until the deadline on the monotonic clock, and takes it again.
  package func wait(until deadlineNanos: UInt64? = nil) {
    guard let deadlineNanos else {
      _ = guarded.wait(condition)
      return
    }
    var time = timespec(tv_sec: Int(deadlineNanos / 1_000_000_000), tv_nsec: Int(deadlineNanos % 1_000_000_000))
    _ = guarded.wait(condition, until: &time)
  }
}

extension Lock {
  fileprivate func wait(_ condition: UnsafeMutablePointer<pthread_cond_t>) -> Int32 {
    pthread_cond_wait(condition, mutex)
  }

  fileprivate func wait(_ condition: UnsafeMutablePointer<pthread_cond_t>, until time: inout timespec) -> Int32 {
    pthread_cond_timedwait(condition, mutex, &time)
  }
}
