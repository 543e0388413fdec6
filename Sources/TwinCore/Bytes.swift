// Order, equality and encoding of raw bytes: names are compared by bytes everywhere, because Swift's String
// takes both spellings of "é" for one.

import Glibc

/// Below, at or above zero as `left` comes before, at or after `right` in byte order.
@inlinable
public func compareBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
  let common = min(left.count, right.count)
  if common > 0 {
    let order = memcmp(left.baseAddress!, right.baseAddress!, common)
    if order != 0 { return Int(order) }
  }
  return left.count - right.count
}

@inlinable
public func equalBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  left.count == right.count
    && (left.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0)
}

extension UnsafeRawBufferPointer {
  /// The bytes from `start` on, `count` of them. Traps outside the buffer.
  @inlinable
  public func part(_ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[start..<start + count])
  }

  @inlinable
  public func starts(with prefix: UnsafeRawBufferPointer) -> Bool {
    count >= prefix.count && (prefix.isEmpty || memcmp(baseAddress!, prefix.baseAddress!, prefix.count) == 0)
  }
}

package func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
  do {
    _ = try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)
    return true
  } catch {
    return false
  }
}
