// What the database does not have: twins that changed, and the changes, of one shard.
//
// A checkpoint captures both at once, in constant time: from then on they count as captured, until it is settled or
// given back. An image knows its place in `dirty` and the last of its changes; a change knows the one before.
// Not synchronised: the shard's lock guards it.

import DequeModule
import TwinCore

struct UnwrittenTwins {
  private struct Change {
    let image: TwinImage
    /// Number of the change before, of the same twin; it may be written already.
    let previous: UInt64
  }

  /// What changed since the last capture.
  private(set) var dirty: [TwinImage] = []
  /// What a checkpoint captured and has not yet settled.
  private(set) var captured: [TwinImage] = []
  /// Changes in order; the first has the number `firstChange`. Numbers begin at 1.
  private var changes: Deque<Change> = []
  private var firstChange: UInt64 = 1
  private var capturedChangeCount = 0
  /// Counts captures: an image is in `dirty` when its epoch is this one, in `captured` when it is the one before.
  private var epoch: UInt64 = 1
  /// Bytes of all of this.
  private(set) var byteCount = 0
  private var capturedByteCount = 0

  /// Takes a new image of a twin, and what was done to it. Of a new twin both may be one image: its bytes count twice, for
  /// the next commit parts them.
  mutating func put(_ image: TwinImage, change: TwinImage, insteadOf old: TwinImage?) {
    byteCount += change.byteCount + image.byteCount
    if let old, old.dirtyEpoch == epoch {
      byteCount -= dirty[old.dirtySlot].byteCount
      image.markDirty(epoch: epoch, slot: old.dirtySlot)
      dirty[old.dirtySlot] = image
    } else {
      markDirty(image)
    }
    changes.append(Change(image: change, previous: old?.lastChange ?? 0))
    image.markChanged(firstChange + UInt64(changes.count) - 1)
  }

  private mutating func markDirty(_ image: TwinImage) {
    image.markDirty(epoch: epoch, slot: dirty.count)
    dirty.append(image)
  }

  /// Memory has another image of the same revision, which time has made. The one of the commit is written all the same:
  /// whoever reads it back sees that time has changed it since.
  mutating func replace(_ old: TwinImage, with image: TwinImage) {
    image.markChanged(old.lastChange)
    image.markDirty(epoch: old.dirtyEpoch, slot: old.dirtySlot)
  }

  /// Whether the database does not have this revision.
  func contains(_ image: TwinImage) -> Bool {
    image.dirtyEpoch == epoch || (image.dirtyEpoch == epoch - 1 && !captured.isEmpty)
  }

  /// The changes of a twin that the database may not have, oldest first.
  func changes(of image: TwinImage) -> [TwinImage] {
    var found: [TwinImage] = []
    var number = image.lastChange
    while number >= firstChange {
      let change = changes[Int(number - firstChange)]
      found.append(change.image)
      number = change.previous
    }
    return found.reversed()
  }

  /// Some of a twin's changes that the database may not have, oldest first.
  struct Part {
    var changes: [TwinImage] = []
    /// None of that twin is missing up to this sequence; nil = none at all.
    var through: UInt64?
  }

  /// The first changes of a twin at or after a sequence, in a bounded number of looks: from the last one back, and where
  /// that does not lead to the first one, from the first one on, past those of other twins.
  func changes(of image: TwinImage, from sequence: UInt64, looksMax: Int) -> Part {
    var part = Part()
    var number = image.lastChange
    while number >= firstChange, part.changes.count < looksMax {
      let change = changes[Int(number - firstChange)]
      if change.image.revision < sequence { break }
      part.changes.append(change.image)
      number = change.previous
    }
    if part.changes.count < looksMax {
      part.changes.reverse()
      return part
    }
    part.changes.removeAll()
    let start = firstIndex(from: sequence)
    var end = min(start + looksMax, changes.count)
    // Not within a commit, whose last change may be this twin's.
    while end > start, end < changes.count, changes[end].image.revision == changes[end - 1].image.revision { end += 1 }
    for index in start..<end where changes[index].image.name == image.name {
      part.changes.append(changes[index].image)
    }
    if end < changes.count { part.through = changes[end - 1].image.revision }
    return part
  }

  /// Changes stand in the order of their commits.
  private func firstIndex(from sequence: UInt64) -> Int {
    var (low, high) = (0, changes.count)
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].image.revision < sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Begins a checkpoint: what is here now is its to write.
  mutating func capture() -> [TwinImage] {
    precondition(captured.isEmpty, "two checkpoints at once")
    swap(&captured, &dirty)
    capturedChangeCount = changes.count
    capturedByteCount = byteCount
    epoch += 1
    return captured
  }

  /// The checkpoint is in the database.
  mutating func settle() {
    captured = []
    changes.removeFirst(capturedChangeCount)
    firstChange += UInt64(capturedChangeCount)
    byteCount -= capturedByteCount
    capturedChangeCount = 0
    capturedByteCount = 0
  }

  /// The checkpoint failed: what has no newer revision is dirty again. `current` finds the image in memory.
  mutating func giveBack(_ current: (TwinImage) -> TwinImage?) {
    for image in captured {
      if let here = current(image), here.revision == image.revision {
        here.markDirty(epoch: epoch, slot: dirty.count)
        dirty.append(image)
      } else {
        byteCount -= image.byteCount
      }
    }
    captured = []
    capturedChangeCount = 0
    capturedByteCount = 0
  }
}
