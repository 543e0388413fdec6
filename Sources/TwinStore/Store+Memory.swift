// Twins that are not in memory are read back by who may block.

import TwinCore

extension Store {
  /// Reads twins into memory. UNAVAILABLE when the disk does not give them.
  package func load(_ names: [TwinName]) throws(TwinError) {
    for name in names {
      do throws(StoreError) {
        try reading { () throws(StoreError) in try load(name) }
      } catch {
        throw TwinError(.unavailable, "\(name) cannot be read: \(error)")
      }
    }
  }

  /// A twin as of now from memory or else from the database, without keeping it; nil when it never existed. For who reads many
  /// twins once, on a thread that may block.
  package func twin(_ name: [UInt8]) throws(StoreError) -> TwinImage? {
    try name.withUnsafeBufferPointer { (bytes) throws(StoreError) in
      let name = TwinName(unchecked: UnsafeRawBufferPointer(bytes))
      switch withTwin(name, { found, _ in found }) {
      case .image(let image): return image
      case .absent: return nil
      case .cold:
        guard let image = try reading({ () throws(StoreError) in try database.twin(name) }) else { return nil }
        let now = self.now
        return image.nextChangeTime <= now ? image.derived(at: now) : image
      }
    }
  }

  /// Runs what reads the database for a caller. When the disk has failed nothing is written any more.
  func reading<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    do throws(StoreError) {
      return try body()
    } catch {
      section.note(error)
      throw error
    }
  }

  private func load(_ name: TwinName) throws(StoreError) {
    let shard = cache.shard(of: name)
    while true {
      let (isHere, evictions) = shard.lock.withLock { (shard.keep(name), shard.evictionCount) }
      if isHere { return }
      let image = try database.twin(name)
      coldReadCount.add(1, ordering: .relaxed)
      let isDone = shard.lock.withLock {
        // While it was read another thread may have loaded it, changed it, and dropped it again.
        guard shard.evictionCount == evictions || shard.find(name) != nil else { return false }
        if let image { shard.load(image) } else if shard.find(name) == nil { shard.load(.absent(name)) }
        return true
      }
      if isDone { return }
    }
  }
}
