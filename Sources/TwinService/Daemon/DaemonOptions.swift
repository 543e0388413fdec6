// What an operator decides when the daemon starts.

import Glibc
import TTRPC
import TwinStore

/// The settings of one daemon.
package struct DaemonOptions: Sendable {
  /// The Unix socket's path, at most 107 bytes.
  package var socket: String
  package var dataDirectory: String
  /// Everyone may do everything.
  package var isDev = false
  package var checkpointInterval: Duration = .seconds(30)
  /// Durability, bounds of memory and journal.
  package var store = Store.Options()
  /// A daemon that cannot write any more ends, for a supervisor to restart it.
  package var exitsOnIOError = false
  /// The socket's permissions.
  package var socketMode: mode_t = 0o600
  /// The socket's group; nil = the process's.
  package var socketGroup: gid_t?
  /// Connections at a time; nil = the default, or as many as the system's limit of open files allows.
  package var connectionsMax: Int?
  package static let connectionsMaxDefault = Limits().connectionsMax
  /// Bytes for all that is not twins; nil = by the memory limit.
  package var bufferBytesMax: Int?
  package static let bufferBytesMin = 16 << 20
  package var bufferLimit: Int { bufferBytesMax ?? max(64 << 20, store.memoryBytesMax / 2) }
  /// Others than the daemon's own user and root can open the socket.
  var admitsOtherUsers: Bool { socketMode & 0o077 != 0 }
  /// Threads that serve.
  package var reactors = Server.defaultReactors
  /// How long a thread that serves goes on looking for more before it sleeps.
  package var busyPoll: Duration = .zero
  package static let busyPollMax: Duration = .seconds(1)
  /// Names of the agents that run as certain users; others are called what the system calls them.
  package var agents: [UInt32: String] = [:]

  package init(socket: String, dataDirectory: String) {
    self.socket = socket
    self.dataDirectory = dataDirectory
  }
}
