// A server on a socket in a folder of its own, and clients that do what no client should.

import CLinux
import EchoService
import Glibc
import TTRPC
import Testing

/// A folder that goes away with this object.
final class TemporaryFolder {
  let path: String

  init() {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
    var template = Array("\(parent)/ttrpc-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "mkdtemp failed: errno \(errno)")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    guard let folder = opendir(path) else { return }
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(cString: $0.bindMemory(to: CChar.self).baseAddress!)
      }
      if name != "." && name != ".." { unlink("\(path)/\(name)") }
    }
    closedir(folder)
    rmdir(path)
  }
}

/// A running server; it stops with this object.
final class TestServer {
  private let folder = TemporaryFolder()
  let server: Server
  var path: String { "\(folder.path)/s" }

  init(
    _ router: Router, limits: Limits = Limits(), reactors: Int = 1, busyPoll: Duration = .zero,
    isOperator: @escaping @Sendable (Peer) -> Bool = { _ in false },
    onForeignProtocol: (@Sendable (String, Peer) -> Void)? = nil
  ) throws {
    server = try Server(
      router: router, limits: limits, reactors: reactors, busyPoll: busyPoll, isOperator: isOperator,
      onForeignProtocol: onForeignProtocol)
    try server.start(try UnixListener(path: path))
  }

  static func echo(
    limits: Limits = Limits(), reactors: Int = 1, isOperator: @escaping @Sendable (Peer) -> Bool = { _ in false }
  ) throws -> TestServer {
    var router = Router()
    router.serveEcho()
    HealthService().register(in: &router)
    return try TestServer(router, limits: limits, reactors: reactors, isOperator: isOperator)
  }

  deinit { server.shutdown() }

  /// Waits until the statistics are as wanted; false after ten seconds.
  func settles(_ wanted: (Server.Statistics) -> Bool) -> Bool {
    eventually { wanted(server.statistics()) }
  }
}

/// Whether a condition comes to hold within ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
  let end = twind_monotonic_nanos() + 10_000_000_000
  while !condition() {
    if twind_monotonic_nanos() > end { return false }
    usleep(1_000)
  }
  return true
}

/// How long the body took, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = twind_monotonic_nanos()
  try body()
  return Double(twind_monotonic_nanos() - start) / 1e9
}

/// A client of bare bytes. Sends and receives block, at most ten seconds. One thread sends, one receives.
final class RawPeer: @unchecked Sendable {
  private let fd: Int32
  private var received: [UInt8] = []

  /// Connects.
  convenience init(_ path: String) throws {
    let fd = twind_unix_socket(0)
    self.init(fd: fd)
    try #require(twind_connect(fd, path) == 0, "errno \(errno)")
  }

  /// Takes a connected socket over.
  init(fd: Int32) {
    self.fd = fd
    var timeout = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(fd) }

  /// Sends all of the bytes; false when the server does not take them.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { twind_send(fd, $0.baseAddress! + sent, bytes.count - sent) }
      if count <= 0 { return false }
      sent += count
    }
    return true
  }

  @discardableResult
  func send(_ frames: Frame...) -> Bool { send(frames.flatMap(\.bytes)) }

  /// The next frame; nil when the server has closed the connection, or nothing came in ten seconds.
  func receive() -> Frame? {
    while true {
      let decoded = received.withUnsafeBytes { FrameDecoding.decode($0) }
      if case .frame(let header) = decoded {
        let end = FrameHeader.byteCount + Int(header.length)
        defer { received.removeFirst(end) }
        return Frame(
          stream: header.stream, type: header.type, flags: header.flags,
          message: Array(received[FrameHeader.byteCount..<end]))
      }
      guard readMore() > 0 else { return nil }
    }
  }

  /// The server reads the end behind what was sent.
  func endSending() { shutdown(fd, Int32(SHUT_WR)) }

  /// All bytes to the end of the connection, at most ten seconds of silence.
  func all() -> [UInt8] {
    while readMore() > 0 {}
    return received
  }

  /// Whether the server closes the connection, at most ten seconds from now, without another frame.
  func isClosedByServer() -> Bool {
    let count = readMore()
    return count == 0 || (count < 0 && errno == ECONNRESET)
  }

  private func readMore() -> Int {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(fd, &buffer, buffer.count, 0)
    if count > 0 { received += buffer[..<count] }
    return count
  }
}
