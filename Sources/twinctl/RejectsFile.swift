// Writes rows that could not be imported, with their lines and reasons.

import Glibc
import TwinText

final class RejectsFile {
  private static let examplesMax = 3

  let path: String
  private(set) var count = 0
  /// The first few.
  private(set) var examples: [(line: Int, reason: String)] = []
  private let isStrict: Bool
  private let maximum: Int?
  private var fd: Int32 = -1
  /// Parts of a row count as one reject.
  private var lastLine = 0

  /// Creates the file with the first row. With `isStrict` there is no file, and the first row is an error.
  /// - Parameter maximum: the most rows; nil: no limit.
  init(_ path: String, isStrict: Bool, maximum: Int?) {
    self.path = path
    self.isStrict = isStrict
    self.maximum = maximum
  }

  deinit { if fd >= 0 { close(fd) } }

  /// Whether there are more than the maximum.
  var isFull: Bool { maximum.map { count > $0 } ?? false }

  func add(_ record: Record, _ reason: String) throws {
    if isStrict {
      Terminal.complain("line \(record.line): \(reason)")
      throw ExitStatus.rejectedRows
    }
    if record.line == lastLine { return }
    lastLine = record.line
    count += 1
    if examples.count < Self.examplesMax { examples.append((record.line, reason)) }
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
