// Checks the limit on the address space (ulimit -v).
//
// A failed allocation kills a Swift process, so a limit that is too low is refused at the start with a message.

import Glibc
import TwinStore

package enum AddressSpace {
  /// Address space for the program, its libraries, thread stacks and the allocator's reserve for each thread: measured
  /// as 870 MiB for an idle daemon with 12 threads. It is reserved, not used.
  private static let baseBytes: UInt64 = 1 << 30

  /// Refuses a limit with which no command of twind could even report an error.
  package static func check() throws(Daemon.Failure) {
    try check(memoryLimit: Store.Options.memoryBytesMin, bufferLimit: DaemonOptions.bufferBytesMin)
  }

  /// Refuses a limit that is too low for `--memory-limit`.
  package static func check(memoryLimit: Int, bufferLimit: Int) throws(Daemon.Failure) {
    let needed = baseBytes + UInt64(memoryLimit) / 2 * 3 + UInt64(bufferLimit)
    guard let limit, limit < needed else { return }
    throw Daemon.Failure(
      description: "the address space is limited to \(mebibytes(limit)) and twind needs \(mebibytes(needed)) for a "
        + "--memory-limit of \(mebibytes(UInt64(memoryLimit))) and a --buffer-limit of "
        + "\(mebibytes(UInt64(bufferLimit))): raise the limit (ulimit -v), or lower these; to limit memory, use these "
        + "or a cgroup instead of ulimit -v")
  }

  /// nil: unlimited.
  private static var limit: UInt64? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
      return nil
    }
    return UInt64(limit.rlim_cur)
  }

  private static func mebibytes(_ bytes: UInt64) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
