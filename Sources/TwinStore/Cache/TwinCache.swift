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

  /// Locks the twin's shard and hands out what it holds, and what the view shows of it.
  @inline(__always)
  func lend(_ name: TwinName, in view: Unmanaged<View>) -> LentTwin {
    let shard = unowned[shardIndex(name)]
    let (found, sight) = shard._withUnsafeGuaranteedRef { held in
      held.lock.lock()
      let found = look(held, name)
      guard case .image(let image) = found else { return (found, Sight.none) }
      let sight = image._withUnsafeGuaranteedRef { image in
        view._withUnsafeGuaranteedRef { held.sight(of: TwinImage(storage: image), in: $0) }
      }
      return (found, sight)
    }
    return LentTwin(found, sight, shard)
  }

  /// Has what a reader of that name will need fetched into the processor's cache. Any bytes will do.
  @inline(__always)
  func approach(_ name: UnsafeRawBufferPointer) {
    unowned[shardIndex(TwinName(unchecked: name))]._withUnsafeGuaranteedRef { shard in
      shard.lock.withLock { shard.approach(name) }
    }
  }

  /// Runs `body` on a twin under its shard's lock: copy and return.
  func withTwin<R, E: Error>(
    _ name: TwinName, in view: View = .unlimited, _ body: (Resident, Sight) throws(E) -> R
  ) throws(E) -> R {
    let lent = lend(name, in: .passUnretained(view))
    return try body(lent.resident, lent.sight)
  }

  // MARK: Rules

  var rules: Rules { shards[0].lock.withLock { shards[0].rules } }

  /// Puts new rules in force for all twins at once, so that no batch sees two sets of rules. Images get their new
  /// classes when they are next looked at.
  func put(_ rules: Rules) {
    let all = ~UInt64(0) >> UInt64(64 - shards.count)
    lock(all)
    for shard in shards { shard.put(rules) }
    unlock(all)
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
      let isAsOfNow = image.nextChangeTime == .max && image.rulesStamp == shard.rulesStamp
      return .image(isAsOfNow ? found : asOfNow(image, shard))
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

  /// The twin as time has changed it, with the classes of the rules in force.
  private func asOfNow(_ image: TwinImage, _ shard: Shard) -> Unmanaged<TwinImage.Storage> {
    var seen = image
    if image.nextChangeTime != .max {
      let now = clock.wallMicros()
      if image.nextChangeTime <= now {
        seen = image.derived(at: now)
        clock.reach(now)
      }
    }
    seen = seen.classified(by: shard.rules)
    if !seen.isSame(as: image) { counting(shard) { shard.rederive(seen) } }
    return Unmanaged.passUnretained(seen.storage)
  }

  /// Runs `body` on each twin in the order given, all of them as they are at one moment and under the same rules.
  func withTwins<E: Error>(
    _ names: [TwinName], in view: View, _ body: (_ index: Int, Resident, Sight) throws(E) -> Void
  ) throws(E) {
    let touched = names.reduce(UInt64(0)) { $0 | 1 << UInt64(shardIndex($1)) }
    lock(touched)
    defer { unlock(touched) }
    for (index, name) in names.enumerated() {
      let shard = shards[shardIndex(name)]
      switch look(shard, name) {
      case .image(let image):
        let image = TwinImage(storage: image.takeUnretainedValue())
        try body(index, .image(image), shard.sight(of: image, in: view))
      case .absent: try body(index, .absent, .none)
      case .cold: try body(index, .cold, .none)
      }
    }
  }

  /// Takes what one commit made, all at once: images and, in the same order, what was done to them.
  func put(_ images: [TwinImage], changes: [TwinImage]) {
    let touched = images.reduce(UInt64(0)) { $0 | 1 << UInt64(shardIndex($1.name)) }
    lock(touched)
    for (image, change) in zip(images, changes) {
      let shard = shards[shardIndex(image.name)]
      // Nobody else has them yet.
      if shard.rulesStamp != 0 {
        image.classify(by: shard.rules)
        if !change.isSame(as: image) { change.classify(by: shard.rules, as: image) }
      }
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
