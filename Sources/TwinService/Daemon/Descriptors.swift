// How many connections the system's limit of open files allows.
//
// At its start the daemon budgets descriptors for the server, the store and every thread that may open a file; the rest
// is for connections. So connections are refused before the journal, the database or a backup runs out of descriptors.
// If the limit is too low, the default number of connections is lowered with a warning; a number that was set
// explicitly and is too high is an error.

import CLinux
import Glibc
import TTRPC
import TwinStore

package struct Descriptors: Equatable {
  /// How many connections are possible.
  package var connectionsMax: Int
  /// The required limit of open files.
  package var needed: Int
  /// Why the number of connections is not the default.
  package var warning: String?

  /// Spare descriptors: for looking up user names, one for each serving thread, for /proc, and for signals.
  private static let sparesMax = 16

  /// - Parameters:
  ///   - asked: the requested number of connections; nil: the default, or as many as possible.
  ///   - others: descriptors for other purposes.
  ///   - hardLimit: the highest possible limit of open files.
  package init(asked: Int?, others: Int, hardLimit: Int) throws(Daemon.Failure) {
    let wanted = asked ?? DaemonOptions.connectionsMaxDefault
    let room = hardLimit - others
    guard room >= 1 else {
      throw Daemon.Failure(
        description: "twind needs at least \(others + 1) open files and the system allows \(hardLimit): raise the "
          + "limit (ulimit -Hn) to \(others + wanted)")
    }
    connectionsMax = min(wanted, room)
    needed = others + connectionsMax
    guard room < wanted else { return }
    if asked != nil {
      throw Daemon.Failure(
        description: "--connections-max \(wanted) needs \(others + wanted) open files and the system allows "
          + "\(hardLimit): raise the limit (ulimit -Hn), or use --connections-max \(room) or less")
    }
    warning =
      "connections-max is \(room) instead of \(wanted): the system allows \(hardLimit) open files (ulimit -Hn), and "
      + "\(wanted) connections need \(others + wanted)"
  }

  /// For the runtime's event loop, a database and its copies. With fewer, no command could even report an error.
  private static let fewest = 32

  /// Refuses a limit with which no command of twind would work. Call it before anything waits or is opened.
  package static func check() throws(Daemon.Failure) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < fewest else { return }
    guard limit.rlim_max >= fewest else {
      throw Daemon.Failure(
        description: "the system allows \(limit.rlim_max) open files and twind needs at least \(fewest): raise the "
          + "limit (ulimit -Hn)")
    }
    limit.rlim_cur = rlim_t(fewest)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// Raises the limit of open files if it is lower than needed.
  package static func reserve(
    connections asked: Int?, limits: Limits, reactors: Int
  ) throws(Daemon.Failure) -> Descriptors {
    var server = limits
    server.connectionsMax = 0
    let others = openCount + server.descriptorsMax(reactors: reactors) + Store.descriptorsMax + sparesMax
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw Daemon.Failure(description: "cannot read the limit of open files: \(String(cString: strerror(errno)))")
    }
    let found = try Descriptors(asked: asked, others: others, hardLimit: Int(clamping: limit.rlim_max))
    guard limit.rlim_cur < rlim_t(found.needed) else { return found }
    limit.rlim_cur = rlim_t(found.needed)
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw Daemon.Failure(
        description: "cannot raise the limit of open files to \(found.needed) (\(String(cString: strerror(errno)))): "
          + "raise it before you start twind (ulimit -n)")
    }
    return found
  }

  /// The number of open descriptors: standard streams, inherited ones, and the runtime's event loop.
  private static var openCount: Int {
    guard let folder = opendir("/proc/self/fd") else { return unknownCount }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // Two are "." and "..", one is the folder itself.
    return max(0, count - 3)
  }

  private static let unknownCount = 16
}
