// A file that has its name only once it is complete.

import Glibc

final class OutputFile {
  private let path: String
  private let partial: String
  private let fd: Int32
  private var isFinished = false

  init(_ path: String) throws(Failure) {
    self.path = path
    partial = path + ".partial"
    fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard fd >= 0 else { throw Failure("cannot write \(partial): \(String(cString: strerror(errno)))") }
  }

  deinit {
    close(fd)
    if !isFinished { unlink(partial) }
  }

  func write(_ text: String) throws(Failure) {
    if let problem = Terminal.write(text, to: fd) { throw Failure("cannot write \(partial): \(problem)") }
  }

  /// Gives the file its name.
  func finish() throws(Failure) {
    guard rename(partial, path) == 0 else {
      throw Failure("cannot rename \(partial) to \(path): \(String(cString: strerror(errno)))")
    }
    isFinished = true
  }
}
