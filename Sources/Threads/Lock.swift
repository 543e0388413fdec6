// The one kind of lock.
//
// Public, for nothing that is `package` is inlined into another target. A heap-allocated pthread mutex, because ThreadSanitizer on Linux reports false races inside Synchronization.Mutex.

import CLinux
import Glibc

/// A mutual-exclusion lock.
public struct Lock: ~Copyable, @unchecked Sendable {
  @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>

  public init() {
    mutex = .allocate(capacity: 1)
    let result = pthread_mutex_init(mutex, nil)
    precondition(result == 0, "pthread_mutex_init failed with \(result)")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  @inlinable
  public borrowing func lock() {
    let result = pthread_mutex_lock(mutex)
    precondition(result == 0, "pthread_mutex_lock failed")
  }

  /// Takes the lock if nobody holds it.
  @inlinable
  public borrowing func tryLock() -> Bool { pthread_mutex_trylock(mutex) == 0 }

  @inlinable
  public borrowing func unlock() {
    let result = pthread_mutex_unlock(mutex)
    precondition(result == 0, "pthread_mutex_unlock failed")
  }

  @inlinable
  public borrowing func withLock<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }
}
