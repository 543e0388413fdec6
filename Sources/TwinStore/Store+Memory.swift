// Twins that are not in memory are read back by who may block.

import TwinCore

extension Store {
  /// Reads twins into memory and keeps them there, in their order, until their bytes come to `bytesMax`: at least one.
  /// UNAVAILABLE when the disk does not give them.
  package func pin(_ names: [[UInt8]], bytesMax: Int) throws(TwinError) -> PinnedTwins {
    let pinned = PinnedTwins(cache)
    for name in names where pinned.byteCount < bytesMax { try pin(name, into: pinned) }
    return pinned
  }

  /// None yet, for who pins them one by one.
  package func pinNone() -> PinnedTwins { PinnedTwins(cache) }

  package func pin(_ name: [UInt8], into pinned: PinnedTwins) throws(TwinError) {
    try name.withUnsafeBufferPointer { (bytes) throws(TwinError) in
      let name = TwinName(unchecked: UnsafeRawBufferPointer(bytes))
      do throws(StoreError) {
        try reading { () throws(StoreError) in try load(name, into: pinned) }
      } catch {
        throw TwinError(error.isDataLoss ? .dataLoss : .unavailable, "cannot read \(name): \(error)")
      }
    }
  }

  /// A twin as of now from memory or else from the database, without keeping it, and what the view shows of it; nil when
  /// it never existed. For a caller that reads many twins once, on a thread that may block.
  package func twin(_ name: [UInt8], in view: View) throws(StoreError) -> SeenTwin? {
    try name.withUnsafeBufferPointer { (bytes) throws(StoreError) in
      let name = TwinName(unchecked: UnsafeRawBufferPointer(bytes))
      switch withTwin(name, in: view, { found, sight, _ in (found, sight) }) {
      case (.image(let image), let sight): return SeenTwin(image: image, sight: sight)
      case (.absent, _): return nil
      case (.cold, _):
        guard let image = try reading({ () throws(StoreError) in try database.twin(name) }) else { return nil }
        let now = self.now
        return seen(image.nextChangeTime <= now ? image.derived(at: now) : image, in: view)
      }
    }
  }

  /// Runs what reads the database for a caller. When the disk has failed nothing is written any more.
  func reading<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    do throws(StoreError) {
      return try body()
    } catch {
      damagedTwins.note(error)
      section.note(error)
      throw error
    }
  }

  private func load(_ name: TwinName, into pinned: PinnedTwins) throws(StoreError) {
    let shard = cache.shard(of: name)
    pinned.add(name)
    if let here = shard.lock.withLock({ shard.keep(name) }) { return pinned.count(bytes: here) }
    let image = try database.twin(name)
    coldReadCount.add(1, ordering: .relaxed)
    let byteCount = shard.lock.withLock { () -> Int in
      // Pinned before it was read: if others loaded and changed it meanwhile, it is still here, and newer.
      if let here = shard.keep(name) { return here }
      let image = image ?? .absent(name)
      shard.load(image)
      return image.byteCount
    }
    pinned.count(bytes: byteCount)
  }
}
