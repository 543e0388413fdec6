// A file's bytes: as processes read them, and as a power failure leaves them.
//
// Promises: what was written before the last good sync is kept whole. Of later writes each page keeps some, in any
// combination with the other pages: none, all, those before one of them, the last of these torn at any byte; the size
// is one that the file had since the sync. A failed sync settles at once which pages reach the disk, and forgets that
// the others were ever written, as Linux does: the next sync succeeds and makes none of them durable.

final class StoredFile {
  private enum Change {
    case write(offset: Int, bytes: [UInt8])
    /// Truncated, or grown with zeros.
    case resize(Int)
  }

  /// What a process reads.
  let content = ByteImage()
  /// Calls of sync after one that failed, in the life of one process.
  private(set) var syncsAfterFailure = 0
  private(set) var syncFailed = false
  /// What was synced.
  let durable = ByteImage()
  private var unsynced: [Change] = []

  var hasUnsynced: Bool { !unsynced.isEmpty }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    if bytes.isEmpty { return }
    content.write(bytes, at: offset)
    unsynced.append(.write(offset: offset, bytes: Array(bytes)))
  }

  func resize(_ length: Int) {
    if length == content.count { return }
    content.resize(length)
    unsynced.append(.resize(length))
  }

  func sync() {
    countSync()
    for change in unsynced { StoredFile.apply(change, to: durable) }
    unsynced = []
  }

  /// A sync that reports an error.
  func failSync(_ random: inout Random) {
    countSync()
    syncFailed = true
    settle(&random)
  }

  /// The power fails.
  func losePower(_ random: inout Random) {
    settle(&random)
    content.become(durable)
  }

  /// A new process knows nothing of the old one's syncs.
  func forgetSyncs() {
    syncFailed = false
    syncsAfterFailure = 0
  }

  private func countSync() {
    if syncFailed { syncsAfterFailure += 1 }
  }

  private func settle(_ random: inout Random) {
    if unsynced.isEmpty { return }
    switch random.below(6) {
    case 0: break
    case 1: for change in unsynced { StoredFile.apply(change, to: durable) }
    default: mix(pageBytes: random.pick([512, 4096]), &random)
    }
    unsynced = []
  }

  /// Each page as one of its states since the sync.
  private func mix(pageBytes: Int, _ random: inout Random) {
    var sizes = [durable.count]
    var size = durable.count
    for change in unsynced {
      switch change {
      case .write(let offset, let bytes): size = max(size, offset + bytes.count)
      case .resize(let length): size = length
      }
      if sizes.last != size { sizes.append(size) }
    }
    let kept = random.pick([size, random.pick(sizes)])
    durable.resize(max(kept, durable.count))
    for (page, touching) in changesByPage(pageBytes, pages: (kept + pageBytes - 1) / pageBytes).enumerated() {
      if touching.isEmpty { continue }
      let count = random.pick([0, touching.count, random.within(0...touching.count)])
      let tearsLast = random.chance(150)
      for (index, change) in touching[..<count].enumerated() {
        var range = page * pageBytes..<min((page + 1) * pageBytes, durable.count)
        if tearsLast && index == count - 1 { range = range.prefix(random.within(0...range.count)) }
        StoredFile.apply(unsynced[change], to: durable, within: range)
      }
    }
    durable.resize(kept)
  }

  /// For each page the indices of the changes that touch it, in their order.
  private func changesByPage(_ pageBytes: Int, pages: Int) -> [[Int]] {
    var touching = [[Int]](repeating: [], count: pages)
    for (index, change) in unsynced.enumerated() {
      let (first, end) =
        switch change {
        case .write(let offset, let bytes): (offset / pageBytes, (offset + bytes.count + pageBytes - 1) / pageBytes)
        case .resize(let length): (length / pageBytes, pages)
        }
      for page in first..<max(first, min(end, pages)) { touching[page].append(index) }
    }
    return touching
  }

  private static func apply(_ change: Change, to image: ByteImage) {
    switch change {
    case .write(let offset, let bytes): bytes.withUnsafeBytes { image.write($0, at: offset) }
    case .resize(let length): image.resize(length)
    }
  }

  /// The part of a change that falls into a range of the image; a cut leaves zeros.
  private static func apply(_ change: Change, to image: ByteImage, within range: Range<Int>) {
    switch change {
    case .write(let offset, let bytes):
      let part = range.clamped(to: offset..<offset + bytes.count)
      if part.isEmpty { return }
      bytes.withUnsafeBytes { all in
        let kept = part.lowerBound - offset..<part.upperBound - offset
        image.write(UnsafeRawBufferPointer(rebasing: all[kept]), at: part.lowerBound)
      }
    case .resize(let length):
      let part = range.clamped(to: length..<max(length, range.upperBound))
      if !part.isEmpty { image.zero(part) }
    }
  }
}
