// A simulated disk as one process sees it.

import Glibc
import TwinStore

package final class Mount: FileSystem, @unchecked Sendable {
  private let disk: SimulatedDisk
  /// For SQLite's own randomness.
  let random: Random
  /// The VFS of this name opens databases on this mount while its `SimulatedVFS` lives.
  package let sqliteVFS: String?

  init(_ disk: SimulatedDisk, number: Int, random: Random) {
    self.disk = disk
    self.random = random
    sqliteVFS = "simulated-\(UInt(bitPattern: ObjectIdentifier(disk)))-\(number)"
  }

  package func makeDirectory(_ path: String, mode: UInt32) throws(Errno) {
    try disk.perform(.makeDirectory, path, of: self) { disk throws(Errno) in
      let (directory, name) = try disk.parent(path)
      if directory.entries[name] != nil { throw Errno(EEXIST) }
      directory.link(name, .directory(StoredDirectory()))
    }
  }

  package func list(_ directory: String) throws(Errno) -> [String] {
    try disk.look(of: self) { disk throws(Errno) in try disk.directory(directory).names }
  }

  package func kind(_ path: String) throws(Errno) -> FileKind? {
    try disk.look(of: self) { disk throws(Errno) in
      switch try disk.node(path) {
      case .file: .file
      case .directory: .directory
      case nil: nil
      }
    }
  }

  package func open(_ path: String, _ access: FileAccess) throws(Errno) -> any File {
    let file = try disk.perform(.open, "\(path) \(access)", of: self) { disk throws(Errno) in
      try disk.opened(path, access)
    }
    return MountedFile(disk, self, file, path: path, isWritable: access != .read)
  }

  package func rename(_ from: String, to: String) throws(Errno) {
    try disk.perform(.rename, "\(from) to \(to)", of: self) { disk throws(Errno) in
      let (directory, name) = try disk.parent(from)
      let (target, new) = try disk.parent(to)
      guard let node = directory.entries[name] else { throw Errno(ENOENT) }
      guard directory === target else { throw Errno(EXDEV) }
      if case .file(let replaced) = directory.entries[new] { disk.giveBack(replaced.content.count) }
      directory.rename(name, to: new, node)
    }
  }

  package func unlink(_ path: String) throws(Errno) {
    try disk.perform(.unlink, path, of: self) { disk throws(Errno) in
      let (directory, name) = try disk.parent(path)
      switch directory.entries[name] {
      case .file(let file): disk.giveBack(file.content.count)
      case .directory: throw Errno(EISDIR)
      case nil: throw Errno(ENOENT)
      }
      directory.unlink(name)
    }
  }

  package func openDirectory(_ path: String) throws(Errno) -> any Directory {
    let directory = try disk.perform(.openDirectory, path, of: self) { disk throws(Errno) in
      try disk.directory(path)
    }
    return MountedDirectory(disk, self, directory, path: path)
  }

  package func lock(_ path: String) throws(Errno) -> (any FileLock)? {
    let isFree = try disk.perform(.open, "\(path) lock", of: self) { disk throws(Errno) in
      if try disk.node(path) == nil { _ = try disk.opened(path, .create) }
      return disk.lock(path)
    }
    return isFree ? MountedLock(disk, self, path) : nil
  }
}

extension SimulatedDisk.Disk {
  /// Nil when there is nothing of that name.
  fileprivate func node(_ path: String) throws(Errno) -> StoredNode? {
    var node = StoredNode.directory(root)
    for name in path.split(separator: "/") {
      guard case .directory(let directory) = node else { throw Errno(ENOTDIR) }
      guard let next = directory.entries[String(name)] else { return nil }
      node = next
    }
    return node
  }

  fileprivate func directory(_ path: String) throws(Errno) -> StoredDirectory {
    switch try node(path) {
    case .directory(let directory): return directory
    case .file: throw Errno(ENOTDIR)
    case nil: throw Errno(ENOENT)
    }
  }

  fileprivate func parent(_ path: String) throws(Errno) -> (StoredDirectory, name: String) {
    let parts = path.split(separator: "/")
    guard let name = parts.last else { throw Errno(EINVAL) }
    return (try directory(parts.dropLast().joined(separator: "/")), String(name))
  }

  fileprivate func opened(_ path: String, _ access: FileAccess) throws(Errno) -> StoredFile {
    let (directory, name) = try parent(path)
    switch directory.entries[name] {
    case .directory: throw Errno(access == .create ? EEXIST : EISDIR)
    case .file(let file):
      if access == .create { throw Errno(EEXIST) }
      return file
    case nil:
      if access != .create { throw Errno(ENOENT) }
      let file = StoredFile()
      directory.link(name, .file(file))
      return file
    }
  }
}
