// The disk alone: a call appends bytes to a file and waits for fdatasync.

import Glibc

final class SyncLane: Lane {
  private let file: Int32
  private let bytes: [UInt8]
  private var done: UInt32?

  init(_ path: String, byteCount: Int) throws {
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    bytes = Array(repeating: 0x76, count: byteCount)
    if file < 0 { throw BenchFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
    // Written once before, so that a sync writes these bytes and not the file's layout.
    if !Self.fill(file) { throw BenchFailure("no room for a file at \(path)") }
  }

  deinit { if file >= 0 { close(file) } }

  private static let fileBytes = 8 << 20
  private var offset = 0

  private static func fill(_ file: Int32) -> Bool {
    let zeros = [UInt8](repeating: 0, count: fileBytes)
    return pwrite(file, zeros, fileBytes, 0) == fileBytes && fsync(file) == 0
  }

  func begin(_ call: Call, tag: UInt32) throws {
    offset = offset + bytes.count > Self.fileBytes ? 0 : offset
    guard pwrite(file, bytes, bytes.count, offset) == bytes.count, fdatasync(file) == 0 else {
      throw BenchFailure("cannot sync a file: \(String(cString: strerror(errno)))")
    }
    offset += bytes.count
    done = tag
  }

  func flush() {}

  func receive(until deadline: UInt64, into ended: UnsafeMutableBufferPointer<UInt32>) -> Int {
    guard let tag = done else { return 0 }
    ended[0] = tag
    done = nil
    return 1
  }
}
