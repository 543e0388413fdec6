// What a limit on the address space (ulimit -v) leaves room for.
//
// An allocation that fails ends a Swift process on the spot, so a limit that is too low is refused at the start, in words.

import Glibc
import TwinStore

package enum AddressSpace {
  /// The program, its libraries, its threads' stacks and what the allocator reserves for each thread: 870 MiB measured
  /// for an idle daemon with 12 threads. Reserved addresses, not memory.
  private static let baseBytes: UInt64 = 1 << 30

  /// Refuses a limit under which no command of twind would get as far as its own errors.
  package static func check() throws(Daemon.Failure) { try check(memoryLimit: Store.Options.memoryBytesMin) }

  /// Refuses a limit that `--memory-limit` would reach.
  package static func check(memoryLimit: Int) throws(Daemon.Failure) {
    let needed = needed(memoryLimit: memoryLimit)
    guard let limit, limit < needed else { return }
    throw Daemon.Failure(
      description: "the address space is limited to \(mebibytes(limit)) and twind needs \(mebibytes(needed)) for a "
        + "--memory-limit of \(mebibytes(UInt64(memoryLimit))): raise it (ulimit -v), or lower --memory-limit; to bound "
        + "memory, use --memory-limit or a cgroup instead")
  }

  static func needed(memoryLimit: Int) -> UInt64 { baseBytes + UInt64(memoryLimit) / 2 * 3 }

  /// Nil = unlimited.
  private static var limit: UInt64? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
      return nil
    }
    return UInt64(limit.rlim_cur)
  }

  private static func mebibytes(_ bytes: UInt64) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
