// Twins that a call needs all together: loaded one by one, they must not drop each other.

import TwinCore

/// Keeps twins in memory as long as it lives. Made by one thread; any thread may let go of it.
package final class PinnedTwins: @unchecked Sendable {
  private let cache: TwinCache
  private var names: [[UInt8]] = []
  /// Of all of them, as they were when they were pinned.
  package private(set) var byteCount = 0

  init(_ cache: TwinCache) { self.cache = cache }

  package var count: Int { names.count }

  deinit {
    for name in names {
      name.withUnsafeBufferPointer { bytes in
        let name = TwinName(unchecked: UnsafeRawBufferPointer(bytes))
        let shard = cache.shard(of: name)
        shard.lock.withLock { shard.unpin(name) }
      }
    }
  }

  func add(_ name: TwinName) {
    let shard = cache.shard(of: name)
    shard.lock.withLock { shard.pin(name) }
    names.append(name.array)
  }

  func count(bytes: Int) { byteCount += bytes }
}
