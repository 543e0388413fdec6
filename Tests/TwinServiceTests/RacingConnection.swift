// A connection that makes calls and notes where in the stream of replies a mark stands.

import CLinux
import Glibc
import TTRPC
import Threads

/// Driven by one thread; any thread may ask for `mark`.
final class RacingConnection: @unchecked Sendable {

  private static let mark = Array("SECRET".utf8)

  private let fd: Int32
  private let lock = Lock()
  private var receivedBytes = 0
  /// Where the mark was last seen to end.
  private var lastMarkEnd = 0
  private var tail: [UInt8] = []
  private var frames: [UInt8] = []
  private var nextID: UInt32 = 1
  private(set) var replyCount = 0
  private(set) var isClosed = false

  init(_ path: String) throws {
    fd = twind_unix_socket(0)
    guard twind_connect(fd, path) == 0 else { throw RPCError(.unavailable, "errno \(errno)") }
  }

  deinit { close(fd) }

  func begin(_ route: AnyRoute, _ request: [UInt8]) {
    var envelope: [UInt8] = []
    for (number, content) in [(1, Array(route.service.utf8)), (2, Array(route.method.utf8)), (3, request)] {
      envelope += [UInt8(number << 3 | 2)] + varint(content.count) + content
    }
    var frame = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    frame.withUnsafeMutableBytes {
      let flags: FrameFlags = route.shape.serverStreams ? .remoteClosed : []
      FrameHeader(length: UInt32(envelope.count), stream: nextID, type: .request, flags: flags)
        .write(to: $0.baseAddress!)
    }
    nextID += 2
    send(frame + envelope)
  }

  private func varint(_ number: Int) -> [UInt8] {
    number < 0x80 ? [UInt8(number)] : [UInt8(number & 0x7f) | 0x80] + varint(number >> 7)
  }

  private func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count && !isClosed {
      let count = bytes.withUnsafeBytes {
        Glibc.send(fd, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if count > 0 { sent += count } else if errno == EAGAIN { receive(waiting: 1) } else { isClosed = true }
    }
  }

  /// Takes what is there.
  func receive(waiting milliseconds: Int32, atMost bytesMax: Int = 1 << 16) {
    var waited = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    guard poll(&waited, 1, milliseconds) > 0 else { return }
    var buffer = [UInt8](repeating: 0, count: bytesMax)
    // Together, for `mark`: what is not counted here is still in the kernel.
    lock.withLock {
      let count = recv(fd, &buffer, bytesMax, Int32(MSG_DONTWAIT))
      if count == 0 || (count < 0 && errno != EAGAIN) { isClosed = true }
      if count > 0 { take(buffer[..<count]) }
    }
  }

  private func take(_ bytes: ArraySlice<UInt8>) {
    let searched = tail + bytes
    let start = receivedBytes - tail.count
    receivedBytes += bytes.count
    var from = 0
    while let place = Self.find(searched, from) {
      lastMarkEnd = start + place + Self.mark.count
      from = place + 1
    }
    tail = Array(searched.suffix(Self.mark.count - 1))
    count(bytes)
  }

  private static func find(_ bytes: [UInt8], _ start: Int) -> Int? {
    bytes.withUnsafeBytes { bytes in
      var place = start
      while let found = memchr(bytes.baseAddress! + place, Int32(mark[0]), bytes.count - place) {
        place = UnsafeRawPointer(found) - bytes.baseAddress!
        if bytes.count - place >= mark.count && memcmp(found, mark, mark.count) == 0 { return place }
        place += 1
      }
      return nil
    }
  }

  private func count(_ bytes: ArraySlice<UInt8>) {
    frames += bytes
    var start = 0
    while frames.count - start >= FrameHeader.byteCount {
      let header = frames.withUnsafeBytes { FrameHeader($0.baseAddress! + start) }
      let end = start + FrameHeader.byteCount + Int(header.length)
      if end > frames.count { break }
      if header.type == .response || header.flags.contains(.remoteClosed) { replyCount += 1 }
      start = end
    }
    frames.removeFirst(start)
  }

  /// How many bytes the server has handed to the kernel.
  var kernelBytes: Int {
    lock.withLock {
      var waiting: Int32 = 0
      _ = ioctl(fd, UInt(FIONREAD), &waiting)
      return receivedBytes + Int(waiting)
    }
  }

  /// Where the mark last ended; 0: it was not there yet.
  var markEnd: Int { lock.withLock { lastMarkEnd } }
}
