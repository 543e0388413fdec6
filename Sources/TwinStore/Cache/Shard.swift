// A part of the cache: twins by name under one lock, which of them the database does not have yet, and which may go.
//
// Promises: what the database does not have stays. All methods want `lock` held.

import Threads
import TwinCore

package final class Shard: @unchecked Sendable {
  /// What a twin takes beside its image: a slot, a place in the sieve, the allocator's share.
  private static let overheadBytes = 96
  /// How far the sieve's hand goes to make room for one twin.
  private static let handStepsMax = 64

  let lock = Lock()
  /// Changed in single steps under the lock: without Swift's check of that at run time.
  @exclusivity(unchecked) private var table = TwinTable()
  var sieve = Sieve()
  /// Names of all twins that were ever seen, in memory or not.
  var filter = NameFilter()
  var unwritten = UnwrittenTwins()
  /// The rules in force, and their stamp. Changed with the locks of all shards held.
  @exclusivity(unchecked) private(set) var rules = Rules.none
  @exclusivity(unchecked) private(set) var rulesStamp: UInt64 = 0
  /// Bytes of the twins in memory.
  private(set) var byteCount = 0
  private(set) var evictionCount: UInt64 = 0
  let byteCountMax: Int
  /// Names of twins that stay, and how many want them to.
  private var pins: [[UInt8]: Int] = [:]

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  deinit {
    table.forEach { $0.release() }
  }

  var count: Int { table.count }

  /// Good as long as the lock is held.
  @inline(__always)
  func find(_ name: TwinName) -> Unmanaged<TwinImage.Storage>? { table.index(of: name).map { table[$0].image } }

  /// Somebody will soon look for a twin of that name.
  @inline(__always)
  func approach(_ name: UnsafeRawBufferPointer) { table.approach(name) }

  /// Whether the name was ever seen; now and then true of one that was not.
  func isKnown(_ name: TwinName) -> Bool { filter.mayContain(filterHash(name.bytes)) }

  /// Takes a twin from the database, unless it is here already.
  func load(_ image: TwinImage) {
    if keep(image.name) != nil { return }
    place(image)
    image.markRead()
    makeRoom()
  }

  /// The bytes of a twin that is here, which counts as read; nil when it is not.
  func keep(_ name: TwinName) -> Int? {
    guard let found = find(name) else { return nil }
    let image = TwinImage(storage: found.takeUnretainedValue())
    image.markRead()
    return image.byteCount
  }

  /// Keeps the twin of that name in memory, from when it is here, until it is unpinned.
  func pin(_ name: TwinName) { pins[name.array, default: 0] += 1 }

  func unpin(_ name: TwinName) {
    guard let count = pins[name.array] else { preconditionFailure("a twin that is unpinned was pinned") }
    pins[name.array] = count == 1 ? nil : count - 1
    makeRoom()
  }

  private func isPinned(_ image: TwinImage) -> Bool { !pins.isEmpty && pins[image.name.array] != nil }

  /// Takes a new image in place of the one with the same name, and what was done to it.
  func put(_ image: TwinImage, change: TwinImage) {
    let old = place(image)
    unwritten.put(image, change: change, insteadOf: old)
    makeRoom()
  }

  func put(_ rules: Rules) {
    self.rules = rules
    rulesStamp = rules.stamp
  }

  /// What a view shows of an image whose classes are those of the rules in force.
  @inline(__always)
  func sight(of image: TwinImage, in view: View) -> Sight {
    if view.stamp == rulesStamp { return view.sight(kindIndex: image.kindIndex, bits: image.bits) }
    return rules.sight(of: image, in: view)
  }

  /// Takes an image of the same revision: time has changed what holds, or rules have changed the classes.
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
    byteCount += image.byteCount
    guard let index = table.index(of: image.name) else {
      table.insert(new, place: sieve.insert(new))
      filter.insert(filterHash(image.name.bytes))
      byteCount += Shard.overheadBytes
      return nil
    }
    let old = TwinImage(storage: table[index].image.takeRetainedValue())
    sieve.replace(table[index].place, with: new)
    table.replace(index, with: new)
    byteCount -= old.byteCount
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
          return unwritten.contains(image) || isPinned(image) ? .spare : .drop
        }
      }
      guard let dropped else { return }
      let image = TwinImage(storage: dropped.takeUnretainedValue())
      if let index = table.index(of: image.name) { table.remove(index) }
      byteCount -= image.byteCount + Shard.overheadBytes
      evictionCount += 1
      dropped.release()
    }
  }
}
