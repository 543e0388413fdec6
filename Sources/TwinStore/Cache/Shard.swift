// A part of the cache: twins by name under one lock, and which of them the database does not have yet.
//
// Promises: a key is the name inside its own image, and both leave together, so that no key dangles. All methods
// want `lock` held.

import Threads
import TwinCore

package final class Shard: @unchecked Sendable {
  /// An element of the set, equal and hashed by name alone. A Set can replace an element; a Dictionary would keep
  /// the old image's key.
  @usableFromInline
  struct Slot: Hashable {
    @usableFromInline let name: TwinName
    /// Nil in the slot that is only looked up with.
    @usableFromInline let image: Unmanaged<TwinImage.Storage>?

    @inlinable
    init(name: TwinName, image: Unmanaged<TwinImage.Storage>? = nil) {
      self.name = name
      self.image = image
    }

    @inlinable
    static func == (left: Slot, right: Slot) -> Bool { left.name == right.name }

    @inlinable
    func hash(into hasher: inout Hasher) { hasher.combine(bytes: name.bytes) }
  }

  @usableFromInline let lock = Lock()
  @usableFromInline private(set) var slots: Set<Slot> = []
  /// What changed since the last capture; an image knows its place here.
  private(set) var dirty: [TwinImage] = []
  /// What a checkpoint captured and has not yet settled.
  private(set) var captured: [TwinImage] = []
  /// Counts captures: an image is in `dirty` when its epoch is this one.
  private var epoch: UInt64 = 1
  private(set) var liveCount = 0
  private(set) var byteCount = 0

  init() {}

  deinit {
    for slot in slots { slot.image?.release() }
  }

  /// Good as long as the lock is held.
  @inlinable
  func find(_ name: TwinName) -> Unmanaged<TwinImage.Storage>? {
    slots.firstIndex(of: Slot(name: name)).flatMap { slots[$0].image }
  }

  /// Takes an image that the database has.
  func load(_ image: TwinImage) {
    _ = replace(image)
  }

  /// Takes a new image, in place of the one with the same name.
  func put(_ image: TwinImage) {
    let old = replace(image)
    if let old, old.dirtyEpoch == epoch {
      image.markDirty(epoch: epoch, slot: old.dirtySlot)
      dirty[old.dirtySlot] = image
    } else {
      markDirty(image)
    }
  }

  private func markDirty(_ image: TwinImage) {
    image.markDirty(epoch: epoch, slot: dirty.count)
    dirty.append(image)
  }

  private func replace(_ image: TwinImage) -> TwinImage? {
    let slot = Slot(name: image.name, image: .passRetained(image.storage))
    // The old slot comes back with its key, which is good until its image is released.
    let old = slots.update(with: slot).flatMap(\.image).map { TwinImage(storage: $0.takeRetainedValue()) }
    liveCount += (image.isDeleted ? 0 : 1) - (old.map { $0.isDeleted ? 0 : 1 } ?? 0)
    byteCount += image.byteCount - (old?.byteCount ?? 0)
    return old
  }

  /// Begins a checkpoint: what is dirty now is its to write.
  func capture() -> [TwinImage] {
    precondition(captured.isEmpty, "two checkpoints at once")
    swap(&captured, &dirty)
    epoch += 1
    return captured
  }

  /// The checkpoint is in the database.
  func settle() { captured = [] }

  /// The checkpoint failed: what is still current is dirty again.
  func giveBack() {
    for image in captured where find(image.name)?.toOpaque() == Unmanaged.passUnretained(image.storage).toOpaque() {
      markDirty(image)
    }
    captured = []
  }
}
