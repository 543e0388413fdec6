// How many connections there can be under the system's limit of open files.
//
// The daemon budgets descriptors when it starts: for the server, the store and every thread that may open a file, and then
// for connections. So connections are refused before a segment of the journal, a database or a backup finds none left. A
// limit that is too low lowers the default number of connections, with a warning; a number that was asked for and cannot
// be had is an error.

import CLinux
import Glibc
import TTRPC
import TwinStore

package struct Descriptors: Equatable {
  /// Connections that can be had.
  package var connectionsMax: Int
  /// What the limit of open files must be.
  package var needed: Int
  /// The number of connections is not the default one, and why.
  package var warning: String?

  /// For users' names, of which each thread that serves may look one up, for /proc, and for what watches signals.
  private static let sparesMax = 16

  /// - Parameters:
  ///   - asked: connections that the operator wants; nil = the default, or as many as there can be.
  ///   - others: descriptors that are no connections.
  ///   - hardLimit: what the limit of open files can be raised to.
  package init(asked: Int?, others: Int, hardLimit: Int) throws(Daemon.Failure) {
    let wanted = asked ?? DaemonOptions.connectionsMaxDefault
    let room = hardLimit - others
    guard room >= 1 else {
      throw Daemon.Failure(
        description: "\(others + 1) open files are needed for a single connection and the system allows \(hardLimit): "
          + "raise the limit (ulimit -Hn) to \(others + wanted)")
    }
    connectionsMax = min(wanted, room)
    needed = others + connectionsMax
    guard room < wanted else { return }
    if asked != nil {
      throw Daemon.Failure(
        description: "--connections-max \(wanted) takes \(others + wanted) open files and the system allows "
          + "\(hardLimit): raise the limit (ulimit -Hn), or give --connections-max \(room) or less")
    }
    warning =
      "connections-max is \(room), not \(wanted): the system allows \(hardLimit) open files (ulimit -Hn), and \(wanted) "
      + "connections take \(others + wanted)"
  }

  /// The runtime's event loop, a database and its copies: without them no command gets as far as its own errors.
  private static let fewest = 32

  /// Refuses a limit under which no command of twind would work. To be called before anything waits or is opened.
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

  /// Raises the limit of open files where it is lower than needed.
  package static func reserve(
    connections asked: Int?, limits: Limits, reactors: Int
  ) throws(Daemon.Failure) -> Descriptors {
    var server = limits
    server.connectionsMax = 0
    let others = openCount + server.descriptorsMax(reactors: reactors) + Store.descriptorsMax + sparesMax
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw Daemon.Failure(description: "the limit of open files is unknown: \(String(cString: strerror(errno)))")
    }
    let found = try Descriptors(asked: asked, others: others, hardLimit: Int(clamping: limit.rlim_max))
    guard limit.rlim_cur < rlim_t(found.needed) else { return found }
    limit.rlim_cur = rlim_t(found.needed)
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw Daemon.Failure(
        description: "the limit of open files cannot be raised to \(found.needed) "
          + "(\(String(cString: strerror(errno)))): raise it before the start (ulimit -n)")
    }
    return found
  }

  /// Descriptors that are open now: standard streams, what was inherited, and the event loop of the runtime.
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
