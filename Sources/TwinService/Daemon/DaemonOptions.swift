// The daemon's options.

import Glibc
import TTRPC
import TwinStore

/// The settings of a daemon.
package struct DaemonOptions: Sendable {
  /// The Unix socket's path, at most 107 bytes.
  package var socket: String
  package var dataDirectory: String
  /// Everyone may do everything.
  package var isDev = false
  package var checkpointInterval: Duration = .seconds(30)
  /// Durability, and the limits of memory and journal.
  package var store = Store.Options()
  /// Exit when the daemon cannot write any more, so that a supervisor restarts it.
  package var exitsOnIOError = false
  /// The socket's permissions.
  package var socketMode: mode_t = 0o600
  /// The socket's group; nil: the process's group.
  package var socketGroup: gid_t?
  /// Connections at a time; nil: the default, or as many as the system's limit of open files allows.
  package var connectionsMax: Int?
  package static let connectionsMaxDefault = Limits().connectionsMax
  /// Memory for everything but twins, in bytes; nil: derived from the memory limit.
  package var bufferBytesMax: Int?
  package static let bufferBytesMin = 16 << 20
  package var bufferLimit: Int { bufferBytesMax ?? max(64 << 20, store.memoryBytesMax / 2) }
  /// Whether other users than the daemon's own and root can open the socket.
  var admitsOtherUsers: Bool { socketMode & 0o077 != 0 }
  /// Threads that serve connections.
  package var reactors = Server.defaultReactors
  /// How long a serving thread polls before it sleeps.
  package var busyPoll: Duration = .zero
  package static let busyPollMax: Duration = .seconds(1)
  /// Agent names by user id. Other users have their user name.
  package var agents: [UInt32: String] = [:]

  package init(socket: String, dataDirectory: String) {
    self.socket = socket
    self.dataDirectory = dataDirectory
  }
}
