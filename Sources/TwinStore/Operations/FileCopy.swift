// Copies a file, for databases that are checked, restored or read without being touched.

import Glibc

extension FileSystem {
  /// Copies into a new file, permissions 0600, and syncs it when asked. What is there when it fails is removed again.
  ///
  /// - Parameter progress: is told the bytes copied so far and in all.
  func copy(
    _ source: String, to target: String, isSynced: Bool, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(StoreError) {
    let from = try opened(source, .read)
    let to = try opened(target, .create)
    do throws(StoreError) {
      try copy(source, from, target, to, progress)
      if isSynced { try named(target, "sync") { () throws(Errno) in try to.sync() } }
    } catch {
      try? unlink(target)
      throw error
    }
  }

  private func copy(
    _ source: String, _ from: any File, _ target: String, _ to: any File, _ progress: (Int, Int) -> Void
  ) throws(StoreError) {
    let size = try named(source, "look at") { () throws(Errno) in try from.size() }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
    defer { piece.deallocate() }
    var offset = 0
    while true {
      let count = try named(source, "read") { () throws(Errno) in try from.readAll(into: piece, at: offset) }
      if count == 0 { return }
      try named(target, "write") { () throws(Errno) in
        try to.writeAll(UnsafeRawBufferPointer(rebasing: piece[..<count]), at: offset)
      }
      offset += count
      progress(offset, max(size, offset))
    }
  }

  /// Bytes of a file; 0 when it is missing.
  func byteCount(_ path: String) throws(StoreError) -> Int {
    guard try exists(path) else { return 0 }
    let file = try opened(path, .read)
    return try named(path, "look at") { () throws(Errno) in try file.size() }
  }
}
