// A part of the cache: twins by name under one lock, which of them the database does not have yet, and which may go.
//
// Promises: a key is the name inside its own image, and both leave together, so that no key dangles. What the database
// does not have stays. All methods want `lock` held.

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
    /// Its place in the sieve.
    let place: Int32

    @inlinable
    init(name: TwinName) {
      self.name = name
      image = nil
      place = 0
    }

    init(name: TwinName, image: Unmanaged<TwinImage.Storage>, place: Int32) {
      self.name = name
      self.image = image
      self.place = place
    }

    @inlinable
    static func == (left: Slot, right: Slot) -> Bool { left.name == right.name }

    @inlinable
    func hash(into hasher: inout Hasher) { hasher.combine(bytes: name.bytes) }
  }

  /// What a twin takes beside its image: a slot, a place in the sieve, the allocator's share.
  private static let overheadBytes = 96
  /// How far the sieve's hand goes to make room for one twin.
  private static let handStepsMax = 64

  @usableFromInline let lock = Lock()
  @usableFromInline private(set) var slots: Set<Slot> = []
  var sieve = Sieve()
  /// Names of all twins that were ever seen, in memory or not.
  var filter = NameFilter()
  var unwritten = UnwrittenTwins()
  /// Bytes of the twins in memory.
  private(set) var byteCount = 0
  private(set) var evictionCount: UInt64 = 0
  let byteCountMax: Int

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  deinit {
    for slot in slots { slot.image?.release() }
  }

  var count: Int { slots.count }

  /// Good as long as the lock is held.
  @inlinable
  func find(_ name: TwinName) -> Unmanaged<TwinImage.Storage>? {
    slots.firstIndex(of: Slot(name: name)).flatMap { slots[$0].image }
  }

  /// Whether the name was ever seen; now and then true of one that was not.
  @usableFromInline
  func isKnown(_ name: TwinName) -> Bool { filter.mayContain(filterHash(name)) }

  /// Takes a twin from the database, unless it is here already.
  func load(_ image: TwinImage) {
    if keep(image.name) { return }
    place(image)
    image.markRead()
    makeRoom()
  }

  /// Whether a twin is here. Who asks is about to read it and loads others for the same call: the hand spares it until
  /// then. Standing at the newest end, it would drop what was just loaded for the next one, and so on for ever.
  func keep(_ name: TwinName) -> Bool {
    guard let found = find(name) else { return false }
    TwinImage(storage: found.takeUnretainedValue()).markRead()
    return true
  }

  /// Takes a new image in place of the one with the same name, and what was done to it.
  func put(_ image: TwinImage, change: TwinImage) {
    let old = place(image)
    unwritten.put(image, change: change, insteadOf: old)
    makeRoom()
  }

  /// Takes an image of the same revision: time has changed what holds.
  func rederive(_ image: TwinImage) {
    guard let old = place(image) else { return }
    unwritten.replace(old, with: image)
  }

  /// What a checkpoint captured is in the database and may go.
  func settle() {
    unwritten.settle()
    makeRoom()
  }

  /// What a checkpoint captured is not in the database.
  func giveBack() {
    unwritten.giveBack { captured in
      find(captured.name).map { TwinImage(storage: $0.takeUnretainedValue()) }
    }
  }

  @discardableResult
  private func place(_ image: TwinImage) -> TwinImage? {
    let new = Unmanaged.passRetained(image.storage)
    let index = slots.firstIndex(of: Slot(name: image.name))
    let place: Int32
    if let index {
      place = slots[index].place
      sieve.replace(place, with: new)
    } else {
      place = sieve.insert(new)
      filter.insert(filterHash(image.name))
      byteCount += Shard.overheadBytes
    }
    // The old slot comes back with its key, which is good until its image is released.
    let old = slots.update(with: Slot(name: image.name, image: new, place: place)).flatMap(\.image)
      .map { TwinImage(storage: $0.takeRetainedValue()) }
    byteCount += image.byteCount - (old?.byteCount ?? 0)
    return old
  }

  /// Drops twins that nobody read for long, as long as there are too many.
  private func makeRoom() {
    while byteCount > byteCountMax {
      let dropped = sieve.next(steps: Shard.handStepsMax) { found in
        found._withUnsafeGuaranteedRef { storage in
          let image = TwinImage(storage: storage)
          if image.isMarkedRead {
            image.unmarkRead()
            return .spare
          }
          return unwritten.contains(image) ? .spare : .drop
        }
      }
      guard let dropped else { return }
      let image = TwinImage(storage: dropped.takeUnretainedValue())
      slots.remove(Slot(name: image.name))
      byteCount -= image.byteCount + Shard.overheadBytes
      evictionCount += 1
      dropped.release()
    }
  }
}

/// For the filter: other bits than those that chose the shard.
func filterHash(_ name: TwinName) -> UInt64 {
  let hash = spread(name.bytes) &* 0x9e37_79b9_7f4a_7c15
  return hash ^ hash >> 31
}
