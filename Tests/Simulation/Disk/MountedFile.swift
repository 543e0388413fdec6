// An open file, an open directory, and a locked file, of a simulated disk.

import Glibc
import TwinStore

final class MountedFile: File, @unchecked Sendable {
  private let disk: SimulatedDisk
  private let mount: Mount
  private let file: StoredFile
  private let path: String
  private let isWritable: Bool

  init(_ disk: SimulatedDisk, _ mount: Mount, _ file: StoredFile, path: String, isWritable: Bool) {
    self.disk = disk
    self.mount = mount
    self.file = file
    self.path = path
    self.isWritable = isWritable
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int {
    try disk.perform(.read, "\(path) \(offset)+\(buffer.count)", of: mount) { disk throws(Errno) in
      let there = max(0, min(buffer.count, file.content.count - offset))
      if there == 0 { return 0 }
      let count = disk.shortened(there)
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: file.content.bytes[offset..<offset + count]))
      return count
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Errno) -> Int {
    try disk.perform(
      .write, "\(path) \(offset)+\(bytes.count)", of: mount,
      broken: { disk, _ in
        // Some of it may be there.
        let count = disk.random { $0.within(0...bytes.count) }
        let end = max(file.content.count, offset + count)
        guard isWritable && disk.grow(by: end - file.content.count) == end - file.content.count else { return }
        file.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
      }
    ) { disk throws(Errno) in
      guard isWritable else { throw Errno(EBADF) }
      if bytes.isEmpty { return 0 }
      let asked = disk.shortened(bytes.count)
      let growth = max(0, offset + asked - file.content.count)
      let granted = disk.grow(by: growth)
      let count = asked - (growth - granted)
      if count <= 0 {
        disk.giveBack(granted)
        throw Errno(ENOSPC)
      }
      let written = UnsafeRawBufferPointer(rebasing: bytes[..<count])
      disk.mix(written)
      file.write(written, at: offset)
      return count
    }
  }

  func allocate(_ length: Int) throws(Errno) {
    try disk.perform(.allocate, "\(path) \(length)", of: mount) { disk throws(Errno) in
      guard isWritable else { throw Errno(EBADF) }
      let growth = length - file.content.count
      if growth <= 0 { return }
      let granted = disk.grow(by: growth)
      if granted < growth {
        disk.giveBack(granted)
        throw Errno(ENOSPC)
      }
      file.resize(length)
    }
  }

  func truncate(_ length: Int) throws(Errno) {
    try disk.perform(.truncate, "\(path) \(length)", of: mount) { disk throws(Errno) in
      guard isWritable else { throw Errno(EINVAL) }
      // Growing this way makes a hole, which takes no space.
      disk.giveBack(max(0, file.content.count - length))
      file.resize(length)
    }
  }

  func sync() throws(Errno) {
    try disk.perform(
      .sync, path, of: mount,
      broken: { disk, cause in
        if cause == .fault { disk.random { file.failSync(&$0) } }
      }
    ) { disk throws(Errno) in
      if !disk.pretends(.sync) { file.sync() }
    }
  }

  func size() throws(Errno) -> Int {
    try disk.look(of: mount) { _ throws(Errno) in file.content.count }
  }
}

final class MountedDirectory: Directory, @unchecked Sendable {
  private let disk: SimulatedDisk
  private let mount: Mount
  private let directory: StoredDirectory
  private let path: String

  init(_ disk: SimulatedDisk, _ mount: Mount, _ directory: StoredDirectory, path: String) {
    self.disk = disk
    self.mount = mount
    self.directory = directory
    self.path = path
  }

  func sync() throws(Errno) {
    try disk.perform(.syncDirectory, path, of: mount) { disk throws(Errno) in
      if !disk.pretends(.syncDirectory) { directory.sync() }
    }
  }
}

final class MountedLock: FileLock, @unchecked Sendable {
  private let disk: SimulatedDisk
  private let mount: Mount
  private let path: String
  private var isHeld = true

  init(_ disk: SimulatedDisk, _ mount: Mount, _ path: String) {
    self.disk = disk
    self.mount = mount
    self.path = path
  }

  deinit { unlock() }

  func unlock() {
    // A mount that has ended holds no locks.
    try? disk.look(of: mount) { disk throws(Errno) in
      if isHeld { disk.unlock(path) }
      isHeld = false
    }
  }
}
