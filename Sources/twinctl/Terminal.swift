// Standard output and standard error.
//
// Each text is written at once, so that lines reach a pipe immediately. Colours are used only on terminals that support
// them, unless NO_COLOR is set.

import Glibc
import TwinText

enum Terminal {
  static let isOutput = isatty(STDOUT_FILENO) == 1
  static let isError = isatty(STDERR_FILENO) == 1
  /// Also set if the arguments are invalid.
  private static let isJSON = CommandLine.arguments.contains("--json")
  private static let hasColours: Bool = {
    guard isOutput, getenv("NO_COLOR").map({ $0.pointee == 0 }) ?? true else { return false }
    return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
  }()

  /// Writes one or more lines to standard output.
  static func print(_ line: String) throws(Failure) { try write(line + "\n") }

  static func write(_ text: String) throws(Failure) {
    guard let problem = write(text, to: STDOUT_FILENO) else { return }
    throw Failure("cannot write to standard output: \(problem)")
  }

  /// Writes to standard error, unchanged. Errors are ignored.
  static func error(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// Writes an error to standard error, on one line; with --json as an object.
  static func complain(_ message: String, code: String? = nil) {
    guard isJSON else { return line((code.map { "\($0): " } ?? "") + message) }
    var object = JSONObject()
    if let code { object.add("code", code) }
    object.add("error", message)
    error(object.text + "\n")
  }

  /// The same for something that was done but may not be what was meant.
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

  /// The width of the terminal on standard error or standard output; nil if neither is a terminal.
  static var width: Int? {
    var size = winsize()
    for fd in [STDERR_FILENO, STDOUT_FILENO] where ioctl(fd, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return nil
  }

  /// The width of tables: 80, or the width of the terminal if it is wider.
  static var tableWidth: Int { max(80, width ?? 80) }

  /// Writes everything. Returns the error, if any.
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
