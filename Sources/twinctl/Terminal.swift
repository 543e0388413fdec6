// Standard output and standard error.
//
// Promises: each text is written at once, so that lines reach a pipe when they are made; colours only on a terminal that
// has them, and where NO_COLOR is not set.

import Glibc
import TwinText

enum Terminal {
  static let isOutput = isatty(STDOUT_FILENO) == 1
  static let isError = isatty(STDERR_FILENO) == 1
  /// Also where the arguments could not be understood.
  private static let isJSON = CommandLine.arguments.contains("--json")
  private static let hasColours: Bool = {
    guard isOutput, getenv("NO_COLOR").map({ $0.pointee == 0 }) ?? true else { return false }
    return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
  }()

  /// One line, or several, on standard output.
  static func print(_ line: String) throws(Failure) { try write(line + "\n") }

  static func write(_ text: String) throws(Failure) {
    guard let problem = write(text, to: STDOUT_FILENO) else { return }
    throw Failure("cannot write to standard output: \(problem)")
  }

  /// On standard error, as it is. What cannot be said is lost.
  static func error(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// What went wrong, on one line of standard error; with --json as an object.
  static func complain(_ message: String, code: String? = nil) {
    guard isJSON else { return line((code.map { "\($0): " } ?? "") + message) }
    var object = JSONObject()
    if let code { object.add("code", code) }
    object.add("error", message)
    error(object.text + "\n")
  }

  /// The same for what was done and may not be what was meant.
  static func warn(_ message: String) {
    guard isJSON else { return line(message) }
    var object = JSONObject()
    object.add("warning", message)
    error(object.text + "\n")
  }

  private static func line(_ message: String) {
    error("twinctl: \(message.split(separator: "\n").map { DisplayText.line(String($0)) }.joined(separator: " "))\n")
  }

  static func bold(_ text: String) -> String { hasColours ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
  static func dim(_ text: String) -> String { hasColours ? "\u{1b}[2m\(text)\u{1b}[0m" : text }
  static func red(_ text: String) -> String { hasColours ? "\u{1b}[31m\(text)\u{1b}[0m" : text }

  /// Columns of the terminal that standard error, or else output, is; nil when neither is one.
  static var width: Int? {
    var size = winsize()
    for fd in [STDERR_FILENO, STDOUT_FILENO] where ioctl(fd, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return nil
  }

  /// Columns of a table: 80, or as many as the terminal has if it is wider.
  static var tableWidth: Int { max(80, width ?? 80) }

  /// Writes all of it. Returns why that could not be done.
  static func write(_ text: String, to fd: Int32) -> String? {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let count = Glibc.write(fd, rest.baseAddress, rest.count)
        if count >= 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        } else if errno == EAGAIN {
          var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
          poll(&entry, 1, -1)
        } else if errno != EINTR {
          return String(cString: strerror(errno))
        }
      }
      return nil
    }
  }
}
