// One segment file, opened for reading: its header and a window that moves over its bytes.
//
// Promises: reads in pieces, so that a start takes a few MiB whatever the journal holds; never traps on what it reads.
// Recovery, verification and dropping all read through this.

final class SegmentReader {
  let path: String
  let number: UInt64
  /// Bytes of the file.
  let size: Int
  /// From here on there are only zeros: room that was allocated and not written to.
  let dataEnd: Int
  /// A header of zeros when `headerFault` says why there is none.
  let header: SegmentHeader
  let headerFault: String?
  let seed: UInt32

  private let file: any File
  private let fileSystem: any FileSystem
  private var window: UnsafeMutableRawBufferPointer?
  private var windowStart = 0
  private var windowCount = 0
  private static let windowBytes = 1 << 20

  /// Throws `newerFormat` for a segment of a later version.
  init(_ folder: JournalFolder, _ number: UInt64) throws(StoreError) {
    let path = folder.path(of: number)
    let fileSystem = folder.fileSystem
    let file = try fileSystem.opened(path, .read)
    self.path = path
    self.number = number
    self.file = file
    self.fileSystem = fileSystem
    (size, dataEnd) = try fileSystem.named(path, "look at") { () throws(Errno) in (try file.size(), try file.dataEnd())
    }
    let start = UnsafeMutableRawBufferPointer.allocate(byteCount: SegmentHeader.byteCount, alignment: 8)
    defer { start.deallocate() }
    let count = try fileSystem.named(path, "read") { () throws(Errno) in try file.readAll(into: start, at: 0) }
    switch SegmentHeader.decode(UnsafeRawBufferPointer(rebasing: start[..<count]), number: number) {
    case .header(let header):
      self.header = header
      headerFault = nil
    case .newer(let version):
      throw .newerFormat(path: path, version: version, supported: Int(SegmentHeader.version))
    case .bad(let reason):
      header = SegmentHeader(number: 0, baseSequence: 0, previousLast: 0, previousEnd: 0, size: 0, salt: 0)
      headerFault = reason
    }
    seed = header.seed
  }

  deinit { window?.deallocate() }

  /// `count` bytes from `offset` on, valid until the next call; nil when the file ends before.
  func bytes(at offset: Int, _ count: Int) throws(StoreError) -> UnsafeRawBufferPointer? {
    if offset + count > size { return nil }
    if window == nil || offset < windowStart || offset + count > windowStart + windowCount {
      try load(at: offset, count)
    }
    guard let window, offset + count <= windowStart + windowCount else { return nil }
    let start = offset - windowStart
    return UnsafeRawBufferPointer(rebasing: window[start..<start + count])
  }

  /// Gives the window's memory back.
  func close() {
    window?.deallocate()
    window = nil
    windowCount = 0
  }

  private func load(at offset: Int, _ count: Int) throws(StoreError) {
    if window == nil || window!.count < count {
      window?.deallocate()
      window = .allocate(byteCount: max(count, Self.windowBytes), alignment: 8)
    }
    let target = window!
    windowStart = offset
    windowCount = try fileSystem.named(path, "read") { () throws(Errno) in
      try file.readAll(
        into: UnsafeMutableRawBufferPointer(rebasing: target[..<min(target.count, size - offset)]), at: offset)
    }
  }
}
