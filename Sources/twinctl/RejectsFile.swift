// Rows that could not be imported, with their lines and reasons.

import Glibc
import TwinText

final class RejectsFile {
  let path: String
  private(set) var count = 0
  private let isStrict: Bool
  private var fd: Int32 = -1
  /// Parts of one row are one reject.
  private var lastLine = 0

  /// Makes the file with the first row; with `isStrict` there is none, and the first row is an error.
  init(_ path: String, isStrict: Bool) {
    self.path = path
    self.isStrict = isStrict
  }

  deinit { if fd >= 0 { close(fd) } }

  func add(_ record: Record, _ reason: String) throws {
    if isStrict {
      Terminal.complain("line \(record.line): \(reason)")
      throw ExitStatus.rejectedRows
    }
    if record.line == lastLine { return }
    lastLine = record.line
    count += 1
    var object = JSONObject()
    object.add("line", record.line)
    object.add("reason", reason)
    object.add("row", record.text)
    try write(object.text + "\n")
  }

  private func write(_ text: String) throws(Failure) {
    if fd < 0 {
      fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      if fd < 0 { throw Failure("cannot write \(path): \(String(cString: strerror(errno))): see --rejects") }
    }
    if let problem = Terminal.write(text, to: fd) { throw Failure("cannot write \(path): \(problem)") }
  }
}
