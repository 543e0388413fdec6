// A small disk in memory for the journal's tests: it counts calls, fails the one it is told to, writes short, and
// knows what a power failure leaves. For one thread.

import Foundation
import Glibc
import TwinStore

final class JournalDisk: FileSystem, @unchecked Sendable {
  final class Content {
    var bytes: [UInt8] = []
    var durable: [UInt8] = []
  }

  /// By path; `durableNames` is what a power failure leaves of them.
  var files: [String: Content] = [:]
  var durableNames: [String: Content] = [:]
  var directories: Set<String> = ["data"]

  /// The calls that change something, as "write data/journal/next".
  var calls: [String] = []
  /// Thrown instead of running the call; nil lets it run.
  var fault: (_ call: String, _ index: Int) -> Errno? = { _, _ in nil }
  /// The most bytes that one write takes.
  var writeBytesMax = Int.max
  /// The next calls are interrupted before they do anything.
  var interruptions = 0

  var sqliteVFS: String? { nil }

  func call(_ name: String, _ path: String) throws(Errno) {
    let isSync = name == "sync" || name == "syncDirectory"
    if interruptions > 0, !isSync {
      interruptions -= 1
      throw Errno(EINTR)
    }
    calls.append("\(name) \(path)")
    if let error = fault(name, calls.count - 1) { throw error }
  }

  func count(_ name: String) -> Int { calls.count { $0.hasPrefix(name + " ") } }

  /// Loses everything that was not synced.
  func losePower() {
    files = durableNames
    for content in files.values { content.bytes = content.durable }
  }

  /// A disk with the same content that fails nothing.
  func copy() -> JournalDisk {
    let copy = JournalDisk()
    copy.directories = directories
    for (path, content) in files {
      let file = Content()
      file.bytes = content.bytes
      file.durable = content.durable
      copy.files[path] = file
      if durableNames[path] === content { copy.durableNames[path] = file }
    }
    return copy
  }

  func makeDirectory(_ path: String, mode: UInt32) throws(Errno) {
    if !directories.insert(path).inserted { throw Errno(EEXIST) }
  }

  func list(_ directory: String) throws(Errno) -> [String] {
    files.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }.sorted()
  }

  func kind(_ path: String) throws(Errno) -> FileKind? {
    directories.contains(path) ? .directory : files[path] == nil ? nil : .file
  }

  func open(_ path: String, _ access: FileAccess) throws(Errno) -> any File {
    if case .create = access {
      try call("create", path)
      if files[path] != nil { throw Errno(EEXIST) }
      files[path] = Content()
    }
    guard let content = files[path] else { throw Errno(ENOENT) }
    return Handle(disk: self, path: path, content: content)
  }

  func rename(_ from: String, to: String) throws(Errno) {
    try call("rename", from)
    guard let content = files.removeValue(forKey: from) else { throw Errno(ENOENT) }
    files[to] = content
  }

  func unlink(_ path: String) throws(Errno) {
    try call("unlink", path)
    if files.removeValue(forKey: path) == nil { throw Errno(ENOENT) }
  }

  func openDirectory(_ path: String) throws(Errno) -> any Directory {
    try call("openDirectory", path)
    return DirectoryHandle(disk: self, path: path)
  }

  fileprivate func makeNamesDurable(_ path: String) throws(Errno) {
    try call("syncDirectory", path)
    let isHere = { (name: String) in name.hasPrefix(path + "/") }
    durableNames = durableNames.filter { !isHere($0.key) }.merging(files.filter { isHere($0.key) }) { $1 }
  }

  func lock(_ path: String) throws(Errno) -> (any FileLock)? { NoLock() }

  private final class NoLock: FileLock {
    func unlock() {}
  }

  private final class DirectoryHandle: Directory, @unchecked Sendable {
    let disk: JournalDisk
    let path: String

    init(disk: JournalDisk, path: String) {
      self.disk = disk
      self.path = path
    }

    func sync() throws(Errno) { try disk.makeNamesDurable(path) }
  }

  private final class Handle: File, @unchecked Sendable {
    let disk: JournalDisk
    let path: String
    let content: Content

    init(disk: JournalDisk, path: String, content: Content) {
      self.disk = disk
      self.path = path
      self.content = content
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int {
      let part = content.bytes.dropFirst(offset).prefix(buffer.count)
      buffer.copyBytes(from: part)
      return part.count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Errno) -> Int {
      try disk.call("write", path)
      let count = min(bytes.count, disk.writeBytesMax)
      extend(to: offset + count)
      content.bytes.replaceSubrange(offset..<offset + count, with: bytes[..<count])
      return count
    }

    func allocate(_ length: Int) throws(Errno) {
      try disk.call("allocate", path)
      extend(to: length)
    }

    func truncate(_ length: Int) throws(Errno) {
      try disk.call("truncate", path)
      extend(to: length)
      content.bytes.removeLast(content.bytes.count - length)
    }

    func sync() throws(Errno) {
      try disk.call("sync", path)
      content.durable = content.bytes
    }

    func size() throws(Errno) -> Int { content.bytes.count }

    private func extend(to length: Int) {
      if length > content.bytes.count {
        content.bytes.append(contentsOf: repeatElement(0, count: length - content.bytes.count))
      }
    }
  }
}
