// The received bytes of a connection that are not yet a complete frame.
//
// Bytes are read into the reactor's spare buffer, and only a partial frame is moved to a buffer of the connection. So
// ten thousand idle connections need no memory here.

import Glibc

/// A buffer that grows as bytes arrive, at most to twice their size.
package struct ReceiveBuffer: ~Copyable {
  private static let firstBytes = 4096
  private static let frameBytes = FrameHeader.byteCount + Limits.frameBytesMax
  /// Room for a complete frame after those that wait for replies to be read.
  package static let bytesMax = frameBytes + Limits.queuedBytesMax

  private var storage: UnsafeMutableRawPointer?
  package private(set) var capacity = 0
  private var start = 0
  private var end = 0

  package init() {}

  /// A spare buffer of a fixed size.
  package init(capacity: Int) {
    storage = .allocate(byteCount: capacity, alignment: 16)
    self.capacity = capacity
  }

  deinit { storage?.deallocate() }

  package var byteCount: Int { end - start }
  package var isEmpty: Bool { start == end }

  package var bytes: UnsafeRawBufferPointer {
    guard let storage else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: storage + start, count: byteCount)
  }

  /// The room to read into: at least one byte. Doubles the buffer if it is full.
  package mutating func room() -> UnsafeMutableRawBufferPointer {
    if end == capacity {
      if start > 0 {
        memmove(storage!, storage! + start, byteCount)
        end -= start
        start = 0
      } else {
        let most = capacity < Self.frameBytes ? Self.frameBytes : Self.bytesMax
        move(to: min(max(capacity * 2, Self.firstBytes), most))
      }
    }
    return UnsafeMutableRawBufferPointer(start: storage! + end, count: capacity - end)
  }

  /// `count` bytes were read into the room.
  package mutating func received(_ count: Int) { end += count }

  package mutating func consume(_ count: Int) {
    start += count
    if start == end {
      start = 0
      end = 0
    }
  }

  /// Frees its memory. It must be empty.
  package mutating func free() {
    storage?.deallocate()
    storage = nil
    capacity = 0
  }

  /// A buffer just large enough for these bytes and some more.
  package static func holding(_ bytes: UnsafeRawBufferPointer) -> ReceiveBuffer {
    var buffer = ReceiveBuffer()
    var capacity = Self.firstBytes
    while capacity <= bytes.count { capacity *= 2 }
    buffer.move(to: capacity)
    if let source = bytes.baseAddress { buffer.storage!.copyMemory(from: source, byteCount: bytes.count) }
    buffer.end = bytes.count
    return buffer
  }

  private mutating func move(to larger: Int) {
    precondition(larger > byteCount, "a whole frame must have been taken before the buffer is full")
    let copy = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    if let storage {
      copy.copyMemory(from: storage + start, byteCount: byteCount)
      storage.deallocate()
    }
    storage = copy
    capacity = larger
    end -= start
    start = 0
  }
}
