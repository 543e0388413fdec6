// The twins of one shard by name.
//
// Open addressing with linear probing. A key is the name inside its own image, looked at only when the hashes are equal,
// and both leave together, so that no key dangles. Sixteen bytes a slot, at most three quarters of them taken. Not
// synchronised: the shard's lock guards it. Images are counted by the shard.
//
//   slot  | hash, 4 B | place in the sieve, 4 B | image, 8 B: nil when empty |

import CLinux
import Glibc
import TwinCore

struct TwinTable: ~Copyable {
  struct Slot {
    fileprivate var hash: UInt32
    /// Its place in the sieve.
    var place: Int32
    fileprivate var entry: Unmanaged<TwinImage.Storage>?

    var image: Unmanaged<TwinImage.Storage> { entry.unsafelyUnwrapped }
  }

  private static var empty: Slot { Slot(hash: 0, place: 0, entry: nil) }
  private static let firstCapacity = 16
  /// As much as a twin of eight attributes with provenance takes.
  private static let prefetchedBytes = 1024

  private var slots: UnsafeMutablePointer<Slot>
  private var mask: Int
  private(set) var count = 0
  private let secret = NameHash()

  init() {
    slots = .allocate(capacity: TwinTable.firstCapacity)
    slots.initialize(repeating: TwinTable.empty, count: TwinTable.firstCapacity)
    mask = TwinTable.firstCapacity - 1
  }

  deinit { slots.deallocate() }

  /// Where the twin is; nil when it is not here. Good until the next change.
  @inline(__always)
  func index(of name: TwinName) -> Int? {
    let hash = secret.of(name.bytes)
    var index = Int(hash) & mask
    while let image = slots[index].entry {
      if slots[index].hash == hash {
        // Who finds a twin reads all of it: its lines come together instead of one after the other.
        twind_prefetch(image.toOpaque(), TwinTable.prefetchedBytes)
        if image._withUnsafeGuaranteedRef({ TwinImage(storage: $0).name == name }) { return index }
      }
      index = (index + 1) & mask
    }
    return nil
  }

  /// Has what probably is this twin, the one at its first place, fetched into the processor's cache. Any bytes will do.
  @inline(__always)
  func approach(_ name: UnsafeRawBufferPointer) {
    let hash = secret.of(name)
    if let image = slots[Int(hash) & mask].entry { twind_prefetch(image.toOpaque(), TwinTable.prefetchedBytes) }
  }

  @inline(__always)
  subscript(index: Int) -> Slot { slots[index] }

  /// Another image of the same twin: its name is the key from now on.
  mutating func replace(_ index: Int, with image: Unmanaged<TwinImage.Storage>) { slots[index].entry = image }

  /// A twin that is not here.
  mutating func insert(_ image: Unmanaged<TwinImage.Storage>, place: Int32) {
    if (count + 1) * 4 > (mask + 1) * 3 { grow() }
    count += 1
    let hash = image._withUnsafeGuaranteedRef { secret.of(TwinImage(storage: $0).name.bytes) }
    put(Slot(hash: hash, place: place, entry: image))
  }

  private func put(_ slot: Slot) {
    var index = Int(slot.hash) & mask
    while slots[index].entry != nil { index = (index + 1) & mask }
    slots[index] = slot
  }

  /// Forgets a twin. Those behind it that are not in their first place move up, so that no search ends too early.
  mutating func remove(_ index: Int) {
    count -= 1
    var hole = index
    var next = (index + 1) & mask
    while slots[next].entry != nil {
      let home = Int(slots[next].hash) & mask
      // Whether the hole lies on the way from its home to where it is.
      if (next - home) & mask >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = TwinTable.empty
  }

  /// Twice the room. The hashes lie in the slots: no image is looked at.
  private mutating func grow() {
    let old = slots
    let oldCount = mask + 1
    slots = .allocate(capacity: oldCount * 2)
    slots.initialize(repeating: TwinTable.empty, count: oldCount * 2)
    mask = oldCount * 2 - 1
    for index in 0..<oldCount where old[index].entry != nil { put(old[index]) }
    old.deallocate()
  }

  /// Every image, in no order.
  func forEach(_ body: (Unmanaged<TwinImage.Storage>) -> Void) {
    for index in 0...mask {
      if let image = slots[index].entry { body(image) }
    }
  }
}
