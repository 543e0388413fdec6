// Encoded records on their way to the file: one block of memory that is used again and again.
//
// Promises: no allocation for an append once it has grown; after a large flush the memory goes back.

final class RecordBuffer {
  private var block: UnsafeMutableRawBufferPointer = .allocate(byteCount: keptBytes, alignment: 8)
  private(set) var count = 0
  private static let keptBytes = 256 << 10

  deinit { block.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: block[..<count]) }

  /// Room for `more` bytes at the end, not cleared.
  func extend(_ more: Int) -> UnsafeMutableRawBufferPointer {
    if count + more > block.count { resize(max(count + more, 2 * block.count)) }
    let start = count
    count += more
    return UnsafeMutableRawBufferPointer(rebasing: block[start..<count])
  }

  func clear() {
    count = 0
    if block.count > Self.keptBytes { resize(Self.keptBytes) }
  }

  private func resize(_ capacity: Int) {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
    larger.copyMemory(from: bytes)
    block.deallocate()
    block = larger
  }
}
