// Names in order, over what the database has and what it does not have yet.
//
// Promises: every twin that exists during the whole call is found, and so is one that was deleted a short time ago: a
// watch must know that its snapshot passed over it. Read the twin to see which it is. It does not rely on all twins being
// in memory.

import TwinCore

package struct NamePage: Equatable, Sendable {
  /// In byte order.
  package var names: [[UInt8]]
  /// There are no more after these.
  package var isLast: Bool
}

extension Store {
  /// The first `limit` names that begin with `prefix` and come after `after` (empty = from the first). Reads the
  /// disk: not for a reactor.
  package func names(prefix: [UInt8], after: [UInt8], limit: Int) throws(StoreError) -> NamePage {
    // Memory first: what a checkpoint writes meanwhile is then found in both places, never in none.
    var fresh = FreshNames(prefix: prefix, after: after, limit: limit + 1)
    for shard in cache.shards {
      shard.lock.withLock {
        for image in shard.unwritten.dirty { fresh.add(image) }
        for image in shard.unwritten.captured { fresh.add(image) }
      }
    }
    let stored = try reading { () throws(StoreError) in
      try database.names(prefix: prefix, after: after, limit: limit + 1)
    }
    let merged = merge(fresh.sorted(), stored, limit: limit + 1)
    return NamePage(names: Array(merged.prefix(limit)), isLast: merged.count <= limit)
  }

  /// Two ascending lists as one, a name in both once.
  private func merge(_ left: [[UInt8]], _ right: [[UInt8]], limit: Int) -> [[UInt8]] {
    var merged: [[UInt8]] = []
    var (i, j) = (0, 0)
    while merged.count < limit, i < left.count || j < right.count {
      if j == right.count || (i < left.count && left[i].lexicographicallyPrecedes(right[j])) {
        merged.append(left[i])
        i += 1
      } else {
        if i < left.count, left[i] == right[j] { i += 1 }
        merged.append(right[j])
        j += 1
      }
    }
    return merged
  }
}

/// The smallest names in a range, out of many: keeps at most twice as many as are wanted.
private struct FreshNames {
  let prefix: [UInt8]
  let after: [UInt8]
  let limit: Int
  private var images: [TwinImage] = []
  /// Nothing above this can be among the smallest.
  private var bound: TwinImage?

  init(prefix: [UInt8], after: [UInt8], limit: Int) {
    self.prefix = prefix
    self.after = after
    self.limit = limit
  }

  mutating func add(_ image: TwinImage) {
    let name = image.name
    let isWanted =
      prefix.withUnsafeBytes { name.bytes.starts(with: $0) }
      && after.withUnsafeBytes { compareBytes(name.bytes, $0) > 0 }
    guard isWanted, bound.map({ name < $0.name }) ?? true else { return }
    images.append(image)
    if images.count >= 2 * limit { shrink() }
  }

  private mutating func shrink() {
    images.sort { $0.name < $1.name }
    dropRepeated()
    if images.count > limit { images.removeLast(images.count - limit) }
    if images.count == limit { bound = images.last }
  }

  /// A twin that changes while a checkpoint writes it is both dirty and captured. Counted twice it would take the place
  /// of another.
  private mutating func dropRepeated() {
    var count = 0
    for image in images where count == 0 || image.name != images[count - 1].name {
      images[count] = image
      count += 1
    }
    images.removeLast(images.count - count)
  }

  mutating func sorted() -> [[UInt8]] {
    shrink()
    return images.map(\.name.array)
  }
}
