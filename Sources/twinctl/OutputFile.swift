// The output of a command: standard output, or a file that gets its name when it is complete.
//
// Until then the file is unnamed, if the file system supports that, so that nothing is left however the program ends.
// Otherwise it is FILE.partial. Symbolic links are followed; pipes and devices are written directly.

import Glibc

final class OutputFile {
  private enum Target {
    /// Written directly: standard output, a pipe or a device.
    case stream
    /// Gets this name when it is complete. Until then it has a temporary name, or none (nil).
    case file(path: String, partial: String?)
  }

  /// As given by the user.
  private let name: String
  private let fd: Int32
  private var target: Target
  /// Lines that have not been written yet.
  private var buffer = ""
  private static let bufferBytes = 64 << 10

  /// - Parameter path: nil or `-`: standard output.
  init(_ path: String?) throws(Failure) {
    guard let path, path != "-" else {
      name = "to standard output"
      fd = STDOUT_FILENO
      target = .stream
      return
    }
    name = path
    if Self.isStream(path) {
      fd = open(path, O_WRONLY | O_CLOEXEC)
      guard fd >= 0 else { throw .system("write \(path)") }
      target = .stream
      return
    }
    let file = Self.resolved(path)
    let slash = file.lastIndex(of: "/")
    let directory = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
    let unnamed = Self.openUnnamed(directory)
    let partial = unnamed >= 0 ? nil : file + ".partial"
    fd = partial.map { open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) } ?? unnamed
    guard fd >= 0 else { throw .system("write \(file).partial") }
    target = .file(path: file, partial: partial)
  }

  deinit {
    if fd != STDOUT_FILENO { close(fd) }
    if case .file(_, let partial?) = target { unlink(partial) }
  }

  func write(_ text: String) throws(Failure) {
    buffer += text
    if buffer.utf8.count >= Self.bufferBytes { try flush() }
  }

  /// Writes the rest, and gives the file its name.
  func finish() throws(Failure) {
    try flush()
    guard case .file(let path, let partial) = target else { return }
    if fsync(fd) != 0 { throw .system("write \(name)") }
    let own = path + ".partial"
    if partial == nil {
      unlink(own)
      if linkat(AT_FDCWD, "/proc/self/fd/\(fd)", AT_FDCWD, own, AT_SYMLINK_FOLLOW) != 0 { throw .system("name \(own)") }
      target = .file(path: path, partial: own)
    }
    if rename(own, path) != 0 { throw .system("rename \(own) to \(path)") }
    target = .stream
  }

  private func flush() throws(Failure) {
    defer { buffer = "" }
    if let problem = Terminal.write(buffer, to: fd) { throw Failure("cannot write \(name): \(problem)") }
  }

  // MARK: Paths

  private static func isStream(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  private static let linksMax = 40

  /// The target of a link, even if it does not exist; the path itself if it is not a link.
  private static func resolved(_ path: String) -> String {
    var path = path
    for _ in 0..<linksMax {
      var room = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink(path, &room, room.count)
      guard count > 0 else { return path }
      let link = String(decoding: room[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
      path = link.hasPrefix("/") ? link : folder + link
    }
    return path
  }

  /// An unnamed file in the directory; -1 if the file system does not support that.
  private static func openUnnamed(_ directory: String) -> Int32 {
    // Linux's O_TMPFILE, which Swift does not import.
    let fd = open(directory, O_WRONLY | O_DIRECTORY | 0o20_000_000 | O_CLOEXEC, 0o600)
    if fd >= 0, access("/proc/self/fd/\(fd)", F_OK) != 0 {
      close(fd)
      return -1
    }
    return fd
  }
}
