// A server that does what no server should.

import CLinux
import Glibc
import TTRPC
import Testing

/// A listening socket whose connections the test accepts and answers by hand, or not at all.
final class FakeServer {
  private let folder = TemporaryFolder()
  private let fd: Int32
  var path: String { "\(folder.path)/s" }

  init(backlog: Int32 = 16) throws {
    fd = twind_unix_socket(0)
    let path = "\(folder.path)/s"
    try #require(twind_bind(fd, path) == 0 && listen(fd, backlog) == 0, "errno \(errno)")
  }

  deinit { close(fd) }

  /// The next connection, as a peer of bare bytes.
  func accept() -> RawPeer { RawPeer(fd: Glibc.accept(fd, nil, nil)) }
}
