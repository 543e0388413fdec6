// Frames that wait to be written to a socket.

import Glibc

/// A contiguous byte queue: written at the end, sent from the start.
package struct SendBuffer: ~Copyable {
  private static let firstBytes = 4096
  /// How much memory a trimmed buffer may keep.
  private static let keptBytes = 64 << 10

  private var storage: UnsafeMutableRawPointer?
  package private(set) var capacity = 0
  private var start = 0
  private var end = 0

  package init() {}

  deinit { storage?.deallocate() }

  package var byteCount: Int { end - start }
  package var isEmpty: Bool { start == end }

  /// The bytes to send next.
  package var bytes: UnsafeRawBufferPointer {
    guard let storage else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: storage + start, count: byteCount)
  }

  /// Room for `count` more bytes, which the caller must fill at once.
  @inline(__always)
  package mutating func append(_ count: Int) -> UnsafeMutableRawPointer {
    if capacity - end < count { grow(count) }
    defer { end += count }
    return storage! + end
  }

  /// Removes bytes that have been sent.
  package mutating func consume(_ count: Int) {
    start += count
    guard start == end else { return }
    start = 0
    end = 0
  }

  /// Frees most of its memory; does nothing if it is not empty.
  package mutating func trim() {
    if isEmpty && capacity > Self.keptBytes { free() }
  }

  private mutating func grow(_ count: Int) {
    let needed = byteCount + count
    if needed <= capacity && start >= capacity / 2 {
      memmove(storage!, storage! + start, byteCount)
    } else {
      var larger = max(capacity * 2, Self.firstBytes)
      while larger < needed { larger *= 2 }
      let copy = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
      if let storage {
        copy.copyMemory(from: storage + start, byteCount: byteCount)
        storage.deallocate()
      }
      storage = copy
      capacity = larger
    }
    end -= start
    start = 0
  }

  /// Frees its memory. It must be empty.
  mutating func free() {
    storage?.deallocate()
    storage = nil
    capacity = 0
  }
}
