// The C echo server, which is this program under another name.

import Foundation

struct EchoPeer {
  let socket: String
  let child: Child

  /// - Parameter replyBytes: behind the header of a reply.
  init(in scratch: Scratch, name: String, core: Int?, replyBytes: Int, isPolling: Bool = false) throws {
    let socket = scratch.path(name + ".sock")
    self.socket = socket
    child = try scratch.start(
      name,
      ["/proc/\(getpid())/exe", "peer", "c-echo", "--socket", socket, "--reply-bytes", "\(replyBytes)"]
        + (isPolling ? ["--polling"] : []), core: core)
    try child.wait { (try? WireLane(socket, .ttrpc, window: 1, [:], keyCount: 1)) != nil }
  }
}
