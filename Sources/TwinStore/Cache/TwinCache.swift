// The twins in memory, spread over shards. Reads take one shard's lock, for copying only; commits and batch reads take
// the locks of all shards they touch in index order, so that a batch is seen whole or not at all.
//
// Promises: within its bound of bytes, but for what the database does not have yet. A twin whose facts begin or end to
// hold by time alone is seen as of now.

import Synchronization
import TwinCore

/// What memory knows of a twin.
package enum Resident {
  /// One that was deleted is an image with `isDeleted`.
  case image(TwinImage)
  /// It never existed.
  case absent
  /// It may be in the database: load it, and look again.
  case cold
}

package final class TwinCache: Sendable {
  /// So that a set of shards is one UInt64.
  package static let shardsMax = 64

  let shards: [Shard]
  /// The same, to be used without counting references: they live as long as the cache.
  private let unowned: [Unmanaged<Shard>]
  let byteCountMax: Int
  private let clock: SteadyClock
  /// Bytes of what the database does not have, over all shards.
  private let unwrittenByteCount = Atomic<Int>(0)

  /// `shardCount` is a power of two, at most `shardsMax`.
  init(shardCount: Int, byteCountMax: Int, clock: SteadyClock) {
    precondition(
      shardCount > 0 && shardCount <= TwinCache.shardsMax && shardCount & (shardCount - 1) == 0,
      "\(shardCount) shards: must be a power of two, at most \(TwinCache.shardsMax)")
    shards = (0..<shardCount).map { _ in Shard(byteCountMax: byteCountMax / shardCount) }
    unowned = shards.map { Unmanaged.passUnretained($0) }
    self.byteCountMax = byteCountMax
    self.clock = clock
  }

  /// Bytes of twins and changes that the database does not have.
  var unwrittenBytes: Int { unwrittenByteCount.load(ordering: .relaxed) }

  @inline(__always)
  func shardIndex(_ name: TwinName) -> Int { Int(truncatingIfNeeded: spread(name.bytes)) & (shards.count - 1) }

  /// Locks the twin's shard and hands out what it holds.
  @inline(__always)
  func lend(_ name: TwinName) -> LentTwin {
    let shard = unowned[shardIndex(name)]
    let found = shard._withUnsafeGuaranteedRef { held in
      held.lock.lock()
      return look(held, name)
    }
    return LentTwin(found, shard)
  }

  /// Has what a reader of that name will need fetched into the processor's cache. Any bytes will do.
  @inline(__always)
  func approach(_ name: UnsafeRawBufferPointer) {
    unowned[shardIndex(TwinName(unchecked: name))]._withUnsafeGuaranteedRef { shard in
      shard.lock.withLock { shard.approach(name) }
    }
  }

  /// Runs `body` on a twin under its shard's lock: copy and return.
  func withTwin<R, E: Error>(_ name: TwinName, _ body: (Resident) throws(E) -> R) throws(E) -> R {
    let lent = lend(name)
    return try body(lent.resident)
  }

  /// What a shard holds; its lock is held.
  @inline(__always)
  private func look(_ shard: Shard, _ name: TwinName) -> LentTwin.Found {
    guard let found = shard.find(name) else { return shard.isKnown(name) ? .cold : .absent }
    return found._withUnsafeGuaranteedRef { storage in
      let image = TwinImage(storage: storage)
      // Looked for in the database and not found.
      if image.revision == 0 { return .absent }
      image.markRead()
      return .image(image.nextChangeTime == .max ? found : asOfNow(image, shard))
    }
  }

  /// A twin as it was left, whatever time has changed of it since: for a replay, to which it is still then.
  func left(_ name: TwinName) -> Resident {
    let shard = shard(of: name)
    return shard.lock.withLock {
      guard let found = shard.find(name) else { return shard.isKnown(name) ? .cold : .absent }
      let image = TwinImage(storage: found.takeUnretainedValue())
      return image.revision == 0 ? .absent : .image(image)
    }
  }

  /// The twin as time has changed it.
  private func asOfNow(_ image: TwinImage, _ shard: Shard) -> Unmanaged<TwinImage.Storage> {
    let now = clock.wallMicros()
    guard image.nextChangeTime <= now else { return Unmanaged.passUnretained(image.storage) }
    let derived = image.derived(at: now)
    clock.reach(now)
    counting(shard) { shard.rederive(derived) }
    return Unmanaged.passUnretained(derived.storage)
  }

  /// Runs `body` on each twin in the order given, all of them as they are at one moment.
  package func withTwins<E: Error>(
    _ names: [TwinName], _ body: (_ index: Int, Resident) throws(E) -> Void
  ) throws(E) {
    let touched = names.reduce(UInt64(0)) { $0 | 1 << UInt64(shardIndex($1)) }
    lock(touched)
    defer { unlock(touched) }
    for (index, name) in names.enumerated() {
      switch look(shards[shardIndex(name)], name) {
      case .image(let image): try body(index, .image(TwinImage(storage: image.takeUnretainedValue())))
      case .absent: try body(index, .absent)
      case .cold: try body(index, .cold)
      }
    }
  }

  /// Takes what one commit made, all at once: images and, in the same order, what was done to them.
  func put(_ images: [TwinImage], changes: [TwinImage]) {
    let touched = images.reduce(UInt64(0)) { $0 | 1 << UInt64(shardIndex($1.name)) }
    lock(touched)
    for (image, change) in zip(images, changes) {
      let shard = shards[shardIndex(image.name)]
      counting(shard) { shard.put(image, change: change) }
    }
    unlock(touched)
  }

  /// Runs `body` under a shard's lock, which is held, and counts what it does to the unwritten bytes.
  private func counting(_ shard: Shard, _ body: () -> Void) {
    let before = shard.unwritten.byteCount
    body()
    unwrittenByteCount.add(shard.unwritten.byteCount - before, ordering: .relaxed)
  }

  // MARK: Checkpoints

  /// What is not written now is a checkpoint's to write; by shard.
  func capture() -> [[TwinImage]] {
    shards.map { shard in shard.lock.withLock { shard.unwritten.capture() } }
  }

  /// The checkpoint is in the database.
  func settle() {
    for shard in shards { shard.lock.withLock { counting(shard) { shard.settle() } } }
  }

  /// The checkpoint failed.
  func giveBack() {
    for shard in shards { shard.lock.withLock { counting(shard) { shard.giveBack() } } }
  }

  func shard(of name: TwinName) -> Shard { shards[shardIndex(name)] }

  private func lock(_ touched: UInt64) {
    forEach(touched) { $0.lock.lock() }
  }

  private func unlock(_ touched: UInt64) {
    forEach(touched) { $0.lock.unlock() }
  }

  /// In index order.
  private func forEach(_ touched: UInt64, _ body: (Shard) -> Void) {
    var rest = touched
    while rest != 0 {
      body(shards[rest.trailingZeroBitCount])
      rest &= rest - 1
    }
  }
}
