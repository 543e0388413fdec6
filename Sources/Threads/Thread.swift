// A POSIX thread with a name.

import CLinux
import Glibc

/// Runs a body on a thread of its own.
///
/// A process that cannot have its threads cannot serve: it says why and exits with 71, as a system error does.
package final class Thread: Sendable {
  private let handle: pthread_t
  private static let sliceNanos: UInt64 = 100_000_000

  /// - Parameters:
  ///   - name: at most 15 bytes, for `top` and debuggers.
  ///   - niceness: how much less time it gets than others when cores are short, as of `nice`. A thread with one also asks
  ///     for long slices of time: whoever is woken, of this process or another, goes at once before it.
  package init(name: String, niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void) {
    final class Start {
      let name: String
      let niceness: Int32
      let body: @Sendable () -> Void
      init(_ name: String, _ niceness: Int32, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.niceness = niceness
        self.body = body
      }
    }
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        _ = twind_name_thread(String(start.name.prefix(15)))
        if start.niceness != 0 {
          _ = twind_renice_thread(start.niceness)
          _ = twind_set_slices(Thread.sliceNanos)
        }
        start.body()
        return nil
      }, Unmanaged.passRetained(Start(name, niceness, body)).toOpaque())
    if result != 0 { Self.exitWithout(name, result) }
    handle = thread
  }

  private static func exitWithout(_ name: String, _ problem: Int32) -> Never {
    let message =
      "Error: the thread \(name) cannot be started (\(String(cString: strerror(problem)))): raise the limits of memory "
      + "and of processes (ulimit -v, ulimit -u, pids.max of the cgroup)\n"
    _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(71)
  }

  /// Runs a body on a thread that nobody waits for.
  package static func detached(name: String, _ body: @escaping @Sendable () -> Void) {
    pthread_detach(Thread(name: name, body).handle)
  }

  /// Waits for the body to return. Call once.
  package func join() { pthread_join(handle, nil) }
}
