// The one kind of lock.
//
// A heap-allocated pthread mutex, because ThreadSanitizer on Linux reports false races inside Synchronization.Mutex.

import CLinux
import Glibc

/// A mutual-exclusion lock.
package struct Lock: ~Copyable, @unchecked Sendable {
  @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>

  package init() {
    mutex = .allocate(capacity: 1)
    let result = pthread_mutex_init(mutex, nil)
    precondition(result == 0, "pthread_mutex_init failed with \(result)")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  @inlinable
  package borrowing func lock() {
    let result = pthread_mutex_lock(mutex)
    precondition(result == 0, "pthread_mutex_lock failed")
  }

  /// Takes the lock if nobody holds it.
  @inlinable
  package borrowing func tryLock() -> Bool { pthread_mutex_trylock(mutex) == 0 }

  @inlinable
  package borrowing func unlock() {
    let result = pthread_mutex_unlock(mutex)
    precondition(result == 0, "pthread_mutex_unlock failed")
  }

  @inlinable
  package borrowing func withLock<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }
}
