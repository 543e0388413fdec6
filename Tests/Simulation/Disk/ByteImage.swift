// Bytes that grow with zeros, moved by memcpy: a debug build copies an array's elements one by one.

import Glibc

final class ByteImage {
  private(set) var count = 0
  private var memory: UnsafeMutableRawPointer
  private var capacity: Int

  init() {
    capacity = 4_096
    memory = .allocate(byteCount: capacity, alignment: 8)
  }

  deinit { memory.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

  func resize(_ length: Int) {
    if length > capacity {
      let wider = UnsafeMutableRawPointer.allocate(byteCount: max(length, 2 * capacity), alignment: 8)
      memcpy(wider, memory, count)
      memory.deallocate()
      memory = wider
      capacity = max(length, 2 * capacity)
    }
    if length > count { memset(memory + count, 0, length - count) }
    count = length
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    if bytes.isEmpty { return }
    if count < offset + bytes.count { resize(offset + bytes.count) }
    UnsafeMutableRawBufferPointer(start: memory + offset, count: bytes.count).copyMemory(from: bytes)
  }

  /// The range must be inside.
  func zero(_ range: Range<Int>) { memset(memory + range.lowerBound, 0, range.count) }

  func become(_ other: ByteImage) {
    resize(0)
    write(other.bytes, at: 0)
  }
}
