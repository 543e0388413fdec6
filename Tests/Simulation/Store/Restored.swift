// A backup, restored on a disk of its own, on a machine whose clock is behind.
//
// Promises: the restored store is the model at the backup's sequence. A restore that dies is made good by the next one,
// and until then no store opens in its place.

import CTwindProto
import TwinCore
import TwinStore

struct Restored {
  private static let file = "/backup"
  private static let directory = "/data"

  private let disk: SimulatedDisk
  private let mount: Mount
  private let clock: SimulatedClock
  private var random: Random

  init(_ content: [UInt8], _ random: Random) throws(HistoryFailure) {
    self.random = random
    disk = SimulatedDisk(seed: self.random.next())
    mount = disk.mount()
    clock = SimulatedClock(random: self.random.fork())
    do throws(Errno) {
      try mount.make(Self.file, content)
      try mount.syncDirectory("/")
    } catch {
      throw HistoryFailure("\(error)")
    }
  }

  /// - Parameter range: the backup's sequence is one of these.
  mutating func check(_ world: World, _ range: ClosedRange<UInt64>) throws(HistoryFailure) {
    world.counts.restores += 1
    do {
      if random.chance(250), try dies() { return try open(world, range) }
      let sequence = try withVFS { mount in try restore(mount).sequence }
      if !range.contains(sequence) {
        throw HistoryFailure("it is up to \(sequence), and should be up to \(range)")
      }
      try open(world, range)
    } catch let failure as HistoryFailure {
      throw failure
    } catch {
      throw HistoryFailure("it cannot be restored: \(error)")
    }
  }

  private func restore(_ mount: Mount) throws(StoreError) -> RestoreReport {
    try StoreRestore.run(backup: Self.file, directory: Self.directory, fileSystem: mount, scratch: "/")
  }

  /// What a process does on the disk.
  private func withVFS<R>(_ body: (Mount) throws -> R) throws -> R {
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 0 })
    defer { withExtendedLifetime(vfs) {} }
    return try body(mount)
  }

  /// A restore that is cut short. Returns whether it had come to its end.
  private mutating func dies() throws -> Bool {
    let (operation, crash) = (random.within(1...40), random.pick([Crash.process, .power]))
    try withVFS { mount in
      disk.crash(at: disk.operations + operation)
      _ = try? restore(mount)
    }
    disk.crash(crash)
    if disk.content(Self.directory + "/twind.db") != nil { return true }
    if disk.content(Self.directory + "/twind.db.partial") != nil {
      try withVFS { mount in
        if (try? store(mount, Store.Options())) != nil {
          throw HistoryFailure("a store opens where a restore has died")
        }
      }
    }
    return false
  }

  private func store(_ mount: Mount, _ options: Store.Options) throws(StoreError) -> Store {
    try Store(directory: Self.directory, options: options, clock: clock, fileSystem: mount, random: { 1 })
  }

  private func open(_ world: World, _ range: ClosedRange<UInt64>) throws {
    var options = world.options
    options.retention = Retention()
    try withVFS { mount in
      let store = try store(mount, options)
      defer { withExtendedLifetime(store) {} }
      if !range.contains(store.head) { throw HistoryFailure("it ends at \(store.head), and should at \(range)") }
      let count = try world.model.count(in: store)
      let model = StoreModel(world.model.log[..<count])
      if store.now < model.log.last?.recordedAt ?? .min {
        throw HistoryFailure("its present is \(store.now), before its last commit")
      }
      let expected = Expected(model: model, now: store.now, rule: world.options.retention.others)
      // From the database, as a list shows them; then loaded.
      for name in world.wishes.names {
        try expected.check(try store.twin(Array(name.utf8), in: .unlimited)?.image, name)
      }
      for name in world.wishes.names { try expected.check(store, name) }
      let names = try store.names(prefix: [], after: [], limit: 1_000).names
      try expected.check(names.map { String(decoding: $0, as: UTF8.self) })
      let next = try write(store, world.wishes.names[0])
      if next <= world.model.lastIssued {
        throw HistoryFailure("its next sequence is \(next), and \(world.model.lastIssued) was issued")
      }
    }
  }

  /// Returns the commit's sequence.
  private func write(_ store: Store, _ name: String) throws -> UInt64 {
    let change = Wish.Change(attribute: "r0", what: .set(.string("restored")))
    let wish = Wish(
      number: 0, kind: .update, twins: [Wish.Twin(name: name, changes: [change])], agent: Wishes.agents[0], key: "",
      level: TWIND__V1__DURABILITY__DURABILITY_UNSPECIFIED)
    return try wish.withCommand { try store.commit($0, .none).result.sequence }
  }
}

extension Mount {
  /// Makes a file, durable but for its name.
  func make(_ path: String, _ content: [UInt8]) throws(Errno) {
    let file = try open(path, .create)
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 8)
    defer { copy.deallocate() }
    copy.copyBytes(from: content)
    try file.writeAll(UnsafeRawBufferPointer(copy), at: 0)
    try file.sync()
  }
}
