// The history to restore: a file, a pipe, or standard input.

import Glibc
import TwinCore
import TwinStore
import TwinText

final class HistoryFile {
  private let path: String
  private let fd: Int32
  private let byteCount: Int
  private var readCount = 0
  private var reader: HistoryReader?

  /// Whether to read it as a history: standard input, a pipe, or a file that begins like one. Everything else is
  /// treated as a backup.
  static func isOne(_ path: String) -> Bool {
    if path == "-" { return true }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return [S_IFIFO, S_IFSOCK, S_IFCHR].contains(status.st_mode & S_IFMT)
    }
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(fd) }
    var start = [UInt8](repeating: 0, count: 10)
    return Glibc.read(fd, &start, start.count) == start.count && start == Array("{\"history\"".utf8)
  }

  /// Opens it and reads its first line.
  init(_ path: String) throws(StoreError) {
    self.path = path == "-" ? "standard input" : path
    fd = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    if fd < 0 { throw .io(path: path, operation: "open", errno: errno) }
    var status = stat()
    byteCount = fstat(fd, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    // unowned: the reader is this object's own, is not handed out, and is called on the thread that calls this object.
    reader = try naming { try HistoryReader { [unowned self] room in try read(into: room) } }
  }

  deinit { if fd != STDIN_FILENO { close(fd) } }

  /// The history has all facts up to this sequence.
  var sequence: UInt64 { reader?.sequence ?? 0 }

  /// How much has been read.
  var progress: CheckProgress { CheckProgress(step: "restoring", done: readCount, total: byteCount) }

  /// The next fact; nil after the last.
  func next() throws(StoreError) -> HistoryFact? {
    guard let entry = try naming({ try reader?.next() }) else { return nil }
    let fact = StoredFact(sequence: entry.sequence, ordinal: entry.ordinal, message: entry.attribute)
    return HistoryFact(entry.name, keptFrom: entry.keptFrom, fact, line: entry.line)
  }

  private func naming<R>(_ body: () throws -> R) throws(StoreError) -> R {
    do {
      return try body()
    } catch let fault as HistoryFault {
      throw .badHistory(path: path, line: fault.line, reason: fault.reason)
    } catch let error as StoreError {
      throw error
    } catch {
      throw .badHistory(path: path, line: 1, reason: "\(error)")
    }
  }

  private func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(fd, room.baseAddress, room.count)
      if count >= 0 {
        readCount += count
        return count
      }
      if errno != EINTR { throw StoreError.io(path: path, operation: "read", errno: errno) }
    }
  }
}
