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

  @usableFromInline let shards: [Shard]
  let byteCountMax: Int
  private let clock: any Clock
  /// Bytes of what the database does not have, over all shards.
  private let unwrittenByteCount = Atomic<Int>(0)

  /// `shardCount` is a power of two, at most `shardsMax`.
  init(shardCount: Int, byteCountMax: Int, clock: any Clock) {
    precondition(
      shardCount > 0 && shardCount <= TwinCache.shardsMax && shardCount & (shardCount - 1) == 0,
      "\(shardCount) shards: must be a power of two, at most \(TwinCache.shardsMax)")
    shards = (0..<shardCount).map { _ in Shard(byteCountMax: byteCountMax / shardCount) }
    self.byteCountMax = byteCountMax
    self.clock = clock
  }

  /// Bytes of twins and changes that the database does not have.
  var unwrittenBytes: Int { unwrittenByteCount.load(ordering: .relaxed) }

  @inlinable
  func shardIndex(_ name: TwinName) -> Int { Int(truncatingIfNeeded: spread(name.bytes)) & (shards.count - 1) }

  /// Runs `body` on a twin under its shard's lock: copy and return.
  @inlinable
  package func withTwin<R, E: Error>(
    _ name: TwinName, _ body: (Resident) throws(E) -> R
  ) throws(E) -> R {
    let shard = shards[shardIndex(name)]
    shard.lock.lock()
    defer { shard.lock.unlock() }
    return try lend(shard, name, to: body)
  }

  /// Hands out what a shard holds without counting references: the shard's lock is held meanwhile.
  @inlinable
  func lend<R, E: Error>(_ shard: Shard, _ name: TwinName, to body: (Resident) throws(E) -> R) throws(E) -> R {
    guard let found = shard.find(name) else { return try body(shard.isKnown(name) ? .cold : .absent) }
    let result: Result<R, E> = found._withUnsafeGuaranteedRef { storage in
      do throws(E) {
        let image = TwinImage(storage: storage)
        // Looked for in the database and not found.
        if image.revision == 0 { return .success(try body(.absent)) }
        image.markRead()
        if image.nextChangeTime != .max { return .success(try body(.image(asOfNow(image, shard)))) }
        return .success(try body(.image(image)))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// The twin as time has changed it.
  @usableFromInline
  func asOfNow(_ image: TwinImage, _ shard: Shard) -> TwinImage {
    let now = clock.wallMicros()
    guard image.nextChangeTime <= now else { return image }
    let derived = image.derived(at: now)
    shard.rederive(derived)
    return derived
  }

  /// Runs `body` on each twin in the order given, all of them as they are at one moment.
  package func withTwins<E: Error>(
    _ names: [TwinName], _ body: (_ index: Int, Resident) throws(E) -> Void
  ) throws(E) {
    let touched = names.reduce(UInt64(0)) { $0 | 1 << UInt64(shardIndex($1)) }
    lock(touched)
    defer { unlock(touched) }
    for (index, name) in names.enumerated() {
      try lend(shards[shardIndex(name)], name) { (found: Resident) throws(E) in try body(index, found) }
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

/// Spreads names over shards: eight bytes at a time, in no way secret. The tables behind it hash with a secret.
@inlinable
func spread(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash = UInt64(truncatingIfNeeded: bytes.count) &* 0x9e37_79b9_7f4a_7c15
  var offset = 0
  while offset + 8 <= bytes.count {
    hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xff51_afd7_ed55_8ccd
    hash ^= hash >> 32
    offset += 8
  }
  while offset < bytes.count {
    hash = (hash ^ UInt64(bytes[offset])) &* 0xc4ce_b9fe_1a85_ec53
    offset += 1
  }
  return hash ^ hash >> 29
}
