// The one kind of lock: a pthread mutex on the heap. ThreadSanitizer understands it; inside
// Synchronization.Mutex it reports races that are none.

import Glibc

@usableFromInline
struct Lock: ~Copyable, @unchecked Sendable {
  @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>

  @usableFromInline
  init() {
    mutex = .allocate(capacity: 1)
    let result = pthread_mutex_init(mutex, nil)
    precondition(result == 0, "pthread_mutex_init: \(result)")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  @inlinable
  borrowing func lock() {
    let result = pthread_mutex_lock(mutex)
    precondition(result == 0, "pthread_mutex_lock failed")
  }

  @inlinable
  borrowing func unlock() {
    let result = pthread_mutex_unlock(mutex)
    precondition(result == 0, "pthread_mutex_unlock failed")
  }

  @inlinable
  borrowing func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    lock()
    defer { unlock() }
    return try body()
  }
}
