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
  package static func check() throws(Daemon.Failure) {
    try check(memoryLimit: Store.Options.memoryBytesMin, bufferLimit: DaemonOptions.bufferBytesMin)
  }

  /// Refuses a limit that `--memory-limit` would reach.
  package static func check(memoryLimit: Int, bufferLimit: Int) throws(Daemon.Failure) {
    let needed = baseBytes + UInt64(memoryLimit) / 2 * 3 + UInt64(bufferLimit)
    guard let limit, limit < needed else { return }
    throw Daemon.Failure(
      description: "the address space is limited to \(mebibytes(limit)) and twind needs \(mebibytes(needed)) for a "
        + "--memory-limit of \(mebibytes(UInt64(memoryLimit))) and a --buffer-limit of \(mebibytes(UInt64(bufferLimit))): "
        + "raise it (ulimit -v), or lower these; to bound memory, they or a cgroup are the better means")
  }

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
