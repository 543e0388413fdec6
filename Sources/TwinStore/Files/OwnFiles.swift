// The files that a store has open, and whether they are still those of their names: whoever removes or replaces one
// under a running daemon would find writes acknowledged that no later start sees.
//
// Looked at by every sync and every checkpoint.

import TwinCore

struct OwnFiles: Sendable {
  private let fileSystem: any FileSystem
  private var files: [(path: String, identity: FileStatus.Identity)] = []

  /// The files as they are now.
  init(_ paths: [String], _ fileSystem: any FileSystem) throws(StoreError) {
    self.fileSystem = fileSystem
    for path in paths {
      if let status = try fileSystem.status(of: path) { files.append((path, status.identity)) }
    }
  }

  /// Throws `replaced`.
  func check() throws(StoreError) {
    for file in files where try fileSystem.status(of: file.path)?.identity != file.identity {
      throw .replaced(path: file.path)
    }
  }
}

extension FileSystem {
  func status(of path: String) throws(StoreError) -> FileStatus? {
    try named(path, "look at") { () throws(Errno) in try status(path) }
  }

  /// A symbolic link would have the store write where it points to.
  func refuseLinks(_ paths: [String]) throws(StoreError) {
    for path in paths where try status(of: path)?.isLink ?? false { throw .link(path: path) }
  }

  /// Nobody but its owner, who is this process's user, may put files into the directory.
  func checkIsPrivate(_ directory: String, uid: UInt32) throws(StoreError) {
    guard let status = try status(of: directory + "/.") else { return }
    if status.uid != uid { throw .shared(directory: directory, because: "belongs to user \(status.uid)", uid: uid) }
    if status.mode & 0o022 != 0 {
      throw .shared(
        directory: directory, because: "is writable by others (mode \(String(status.mode & 0o777, radix: 8)))",
        uid: uid)
    }
  }

  /// Whether a directory is another one or lies in it.
  func isInside(_ directory: String, _ outer: String) throws(StoreError) -> Bool {
    guard let wanted = try status(of: outer + "/.")?.identity else { return false }
    var path = directory + "/."
    var last: FileStatus.Identity?
    while let found = try status(of: path)?.identity, found != last {
      if found == wanted { return true }
      last = found
      path += "/.."
    }
    return false
  }
}
