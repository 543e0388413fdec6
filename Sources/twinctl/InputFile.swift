// A file of the user's, read piece by piece or whole.

import Glibc
import TwinText

final class InputFile {
  private static let pieceBytes = 64 << 10

  let path: String
  private let fd: Int32
  /// nil for a pipe, whose length is unknown.
  private let byteCount: Int?
  /// Where reading begins: standard input may already have been read in part.
  private let start: Int
  private var readCount = 0

  /// `-` is standard input.
  init(_ path: String) throws(Failure) {
    self.path = path
    fd = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard fd >= 0, fstat(fd, &status) == 0 else {
      throw Failure("cannot read \(path): \(String(cString: strerror(errno)))")
    }
    if status.st_mode & S_IFMT == S_IFDIR { throw Failure("cannot read \(path): it is a directory") }
    start = max(0, lseek(fd, 0, SEEK_CUR))
    byteCount = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
  }

  deinit { if fd != STDIN_FILENO { close(fd) } }

  /// How much has been read, 0 to 1; nil if unknown.
  var part: Double? { byteCount.map { $0 == 0 ? 1 : min(1, Double(readCount) / Double($0)) } }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(fd, room.baseAddress, room.count)
      if count >= 0 {
        readCount += count
        return count
      }
      if errno != EINTR { throw Failure("cannot read \(path): \(String(cString: strerror(errno)))") }
    }
  }

  /// The digest of the whole file; nil if it can be read only once.
  func digest() throws(Failure) -> [UInt8]? {
    guard byteCount != nil else { return nil }
    var place = start
    var hash = SHA256()
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = piece.withUnsafeMutableBytes { pread(fd, $0.baseAddress, $0.count, place) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Failure("cannot read \(path): \(String(cString: strerror(errno)))") }
      if count == 0 { return hash.digest() }
      piece.withUnsafeBytes { hash.add(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
      place += count
    }
  }

  func readAll() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let piece = try [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { (room, count) in
        count = try read(into: UnsafeMutableRawBufferPointer(room))
      }
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }
}
