// All twins, spread over shards. Reads take one shard's lock, for copying only; commits and batch reads take the
// locks of all shards they touch in index order, so that a batch is seen whole or not at all.

import TwinCore

package final class TwinCache: Sendable {
  /// So that a set of shards is one UInt64.
  package static let shardsMax = 64

  @usableFromInline let shards: [Shard]

  /// `shardCount` is a power of two, at most `shardsMax`.
  init(shardCount: Int) {
    precondition(
      shardCount > 0 && shardCount <= TwinCache.shardsMax && shardCount & (shardCount - 1) == 0,
      "\(shardCount) shards: must be a power of two, at most \(TwinCache.shardsMax)")
    shards = (0..<shardCount).map { _ in Shard() }
  }

  @inlinable
  func shardIndex(_ name: TwinName) -> Int { Int(truncatingIfNeeded: spread(name.bytes)) & (shards.count - 1) }

  /// Runs `body` on a twin, nil when it never existed, under its shard's lock: copy and return.
  @inlinable
  package func withTwin<R, E: Error>(
    _ name: TwinName, _ body: (TwinImage?) throws(E) -> R
  ) throws(E) -> R {
    let shard = shards[shardIndex(name)]
    shard.lock.lock()
    defer { shard.lock.unlock() }
    return try TwinCache.lend(shard.find(name), to: body)
  }

  /// Hands out what a shard holds without counting references: the shard's lock is held meanwhile.
  @inlinable
  static func lend<R, E: Error>(
    _ found: Unmanaged<TwinImage.Storage>?, to body: (TwinImage?) throws(E) -> R
  ) throws(E) -> R {
    guard let found else { return try body(nil) }
    let result: Result<R, E> = found._withUnsafeGuaranteedRef { storage in
      do throws(E) {
        return .success(try body(TwinImage(storage: storage)))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Runs `body` on each twin in the order given, all of them as they are at one moment.
  package func withTwins<E: Error>(
    _ names: [TwinName], _ body: (_ index: Int, TwinImage?) throws(E) -> Void
  ) throws(E) {
    let touched = names.reduce(UInt64(0)) { $0 | 1 << UInt64(shardIndex($1)) }
    lock(touched)
    defer { unlock(touched) }
    for (index, name) in names.enumerated() {
      try TwinCache.lend(shards[shardIndex(name)].find(name)) { (image: TwinImage?) throws(E) in
        try body(index, image)
      }
    }
  }

  /// Takes what one commit made, all at once.
  func put(_ images: [TwinImage]) {
    let touched = images.reduce(UInt64(0)) { $0 | 1 << UInt64(shardIndex($1.name)) }
    lock(touched)
    for image in images { shards[shardIndex(image.name)].put(image) }
    unlock(touched)
  }

  /// Takes a twin from the database.
  func load(_ image: TwinImage) {
    let shard = shards[shardIndex(image.name)]
    shard.lock.withLock { shard.load(image) }
  }

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
