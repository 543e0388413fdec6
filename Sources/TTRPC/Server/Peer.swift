// The process at the other end of a connection.

import CLinux
import Glibc

/// The user and group of the connecting process, as reported by the kernel. Not its pid, which proves nothing.
public struct Peer: Equatable, Sendable {
  public let uid: UInt32
  public let gid: UInt32

  public init(uid: UInt32, gid: UInt32) {
    self.uid = uid
    self.gid = gid
  }

  /// This process itself.
  public static var current: Peer { Peer(uid: geteuid(), gid: getegid()) }

  init?(socket: Int32) {
    var uid: uid_t = 0
    var gid: gid_t = 0
    guard twind_peer_credentials(socket, &uid, &gid) == 0 else { return nil }
    self.init(uid: uid, gid: gid)
  }
}
