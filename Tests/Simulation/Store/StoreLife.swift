// One process of a history, from its start to its end: by a crash, or closing the store.
//
// While the disk works for a checkpoint or a sync, agents go on: they are called before each of its operations.

import Glibc
import TwinCore
import TwinStore

final class StoreLife: @unchecked Sendable {
  static let directory = "/data"

  let world: World
  var random: Random
  private let disturbance: Disturbance
  private let failuresBefore: Int
  private var hasStarted = false
  /// Writes are refused from here on.
  private(set) var hasFailed = false
  /// Others may act before an operation of the disk.
  private var isWaiting = false
  private var nestedFailure: HistoryFailure?

  init(_ world: World, _ disturbance: Disturbance, random: Random) {
    self.world = world
    self.disturbance = disturbance
    self.random = random
    failuresBefore = world.disk.failures
  }

  func run(steps: Int) throws(HistoryFailure) {
    let disk = world.disk
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { [clock = world.clock] in clock.wallMicros() }, seedSQLite: true)
    defer { withExtendedLifetime(vfs) {} }
    arm()
    let store = try open(mount)
    // A process that ends does not close its files first.
    defer { withExtendedLifetime(store) {} }
    let isClean = try store.map { (store) throws(HistoryFailure) in try live(store, steps: steps) } ?? false
    disk.setInterlude(nil)
    try end(isClean: isClean)
  }

  // MARK: Beginning and ending

  private func arm() {
    let disk = world.disk
    let start = disk.operations
    world.letTimePass(&random)
    if let operation = disturbance.crashAt { disk.crash(at: start + operation) }
    if let fault = disturbance.fault {
      disk.fail(Fault(at: start + fault.at, errno: fault.errno, lasts: fault.lasts, only: fault.only))
    }
    disk.setInterlude { [weak self] in self?.interlude() }
  }

  /// Nil when the disk does not let it start.
  private func open(_ mount: Mount) throws(HistoryFailure) -> Store? {
    let salts = Salts(random.fork())
    let store: Store
    do throws(StoreError) {
      store = try Store(
        directory: Self.directory, options: world.options, clock: world.clock, fileSystem: mount,
        random: { salts.next() })
    } catch {
      // On a disk that fails to sync names the first start may leave a part of the database's files: nothing was promised.
      if case .missing = error, world.counts.starts == 0, world.disk.failures > 0 {
        world.isOver = true
        return nil
      }
      try judge(error)
      return nil
    }
    if world.disk.isCrashed { return nil }
    hasStarted = true
    world.counts.starts += 1
    try recovered(store)
    return store
  }

  private func recovered(_ store: Store) throws(HistoryFailure) {
    try Recovered(store, world).check()
    world.stoppedClean = false
    world.jumpEnd = store.recovery.jump?.upperBound ?? world.jumpEnd
    try world.model.begin(nextSequence: max(store.head, world.jumpEnd) + 1)
    world.note("started at \(store.head)")
  }

  /// Returns whether it stopped as it should.
  private func live(_ store: Store, steps: Int) throws(HistoryFailure) -> Bool {
    for number in 0..<steps where !world.disk.isCrashed {
      try setSpace(number, store)
      try step(store)
      if let failure = nestedFailure { throw failure }
    }
    if disturbance.backsUp && !world.disk.isCrashed { try backup(store) }
    if world.disk.isCrashed { return false }
    if case .crash = disturbance.end {
      // A daemon whose disk has failed is stopped like any other, and must not sync it again.
      if hasFailed && random.chance(500) { return try close(store) }
      return false
    }
    world.disk.setSpace(nil)
    if !hasFailed { try followToTheEnd(store) }
    return try close(store)
  }

  private func close(_ store: Store) throws(HistoryFailure) -> Bool {
    do throws(StoreError) {
      try store.close()
    } catch {
      try judge(error)
      return false
    }
    if world.disk.isCrashed { return false }
    if hasFailed { throw HistoryFailure("a store whose disk failed was closed without an error") }
    world.model.reached(.synced, world.model.log.count)
    return true
  }

  private func end(isClean: Bool) throws(HistoryFailure) {
    let disk = world.disk
    if let failure = nestedFailure { throw failure }
    // A start that fails leaves it to SQLite to undo its first transaction, with a sync of its own.
    if hasStarted, let file = disk.resynced.first {
      throw HistoryFailure("\(file) was synced again after a failed sync")
    }
    world.counts.faults += disk.failures - failuresBefore
    disk.clearFaults()
    disk.setSpace(nil)
    world.stoppedClean = isClean
    if isClean { return }
    var crash = Crash.process
    if case .crash(let planned) = disturbance.end { crash = planned }
    // What a failed sync lost is in memory still. SQLite takes it for safe; the journal does not.
    if disk.failedSyncs.contains(where: { !$0.hasPrefix(Self.directory + "/journal/") }) { crash = .power }
    disk.crash(crash)
    world.model.lose(crash)
    if crash == .power { world.counts.powerFailures += 1 } else { world.counts.kills += 1 }
  }

  // MARK: The disk

  /// Whether an operation of the disk has failed in the life of this process.
  var diskHasFailed: Bool { world.disk.failures > failuresBefore }

  /// Whether the store may say this.
  func judge(_ error: StoreError, _ store: Store? = nil) throws(HistoryFailure) {
    world.note("error: \(error)")
    if world.disk.isCrashed { return }
    switch error {
    case .io, .noSpace, .database: break
    default: throw HistoryFailure("a sound disk is refused: \(error)")
    }
    if !diskHasFailed { throw HistoryFailure("an undisturbed process met an error: \(error)") }
    guard let store else { return }
    if error.latches && store.failure == nil { throw HistoryFailure("writes go on after \(error)") }
    noteFailure(store)
  }

  func noteFailure(_ store: Store) {
    if store.failure != nil { hasFailed = true }
  }

  private func setSpace(_ step: Int, _ store: Store) throws(HistoryFailure) {
    guard let full = disturbance.full else { return }
    if step == full.step { world.disk.setSpace(full.bytes) }
    guard step == full.step + full.steps else { return }
    world.disk.setSpace(nil)
    if disturbance.fault == nil && hasFailed { throw HistoryFailure("a full disk stopped the store for good") }
    if hasFailed { return }
    world.note("space returns")
    try prepare(store)
    try checkpoint(store)
    if !world.disk.isCrashed && !hasFailed { try write(store, mustBeTaken: disturbance.fault == nil) }
  }

  // MARK: Others, while the disk works

  /// Runs a step of the runner, during which agents go on.
  func waiting<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    isWaiting = true
    defer { isWaiting = false }
    return try body()
  }

  private func interlude() {
    if !isWaiting || nestedFailure != nil || world.disk.isCrashed || !random.chance(120) { return }
    isWaiting = false
    defer { isWaiting = true }
    do throws(HistoryFailure) {
      try nestedStep()
    } catch {
      nestedFailure = error
    }
  }

  /// Whoever is asked meanwhile; holds no lock of the store.
  var nested: ((StoreLife) throws(HistoryFailure) -> Void)?

  private func nestedStep() throws(HistoryFailure) { try nested?(self) }
}

/// Salts of journal segments, from the history's seed.
private final class Salts: @unchecked Sendable {
  private var random: Random

  init(_ random: Random) { self.random = random }

  func next() -> UInt64 { random.next() }
}
