// What outlives a simulated process: the disk, the time, the agents and what they know.

import TwinStore

final class World: @unchecked Sendable {
  let disk: SimulatedDisk
  let clock: SimulatedClock
  /// The machine's clock is set now and then.
  let setsClock: Bool
  /// It jumps ahead by hours, and back.
  private let jumpsClock: Bool
  /// By how much it is ahead of what the process at hand can believe.
  private var disbelieved: Int64 = 0
  let options: Store.Options
  let model = StoreModel()
  var wishes: Wishes
  var registers = Registers()
  var watchers: [Watcher]
  var backups = Backups()
  /// The present, as the store sees it: no earlier than what it has recorded or told.
  var now: Int64
  /// What the process at hand has told to be all that was known until then.
  private var toldThrough = Int64.min
  /// The last process stopped as it should.
  var stoppedClean = true
  /// The highest sequence that a start said it passed over.
  var jumpEnd: UInt64 = 0
  /// No process can go on.
  var isOver = false
  var counts = StoreHistory.Counts()
  /// By their place in the log.
  private var writes: [Int: Write] = [:]

  init(_ options: Store.Options, seed: inout Random, peculiarity: StoreHistory.Peculiarity?, logLinesMax: Int?) {
    var options = options
    // Room for what was removed.
    if peculiarity == .hoards { options.memoryBytesMax = 1 << 20 }
    self.options = options
    jumpsClock = peculiarity == .jumps
    disk = SimulatedDisk(seed: seed.next(), logLinesMax: logLinesMax)
    clock = SimulatedClock(random: seed.fork())
    setsClock = seed.chance(400)
    wishes = Wishes(twins: seed.within(4...24), random: seed.fork(), hoards: peculiarity == .hoards)
    watchers = (0..<2).map { Watcher(number: $0) }
    now = clock.wallMicros()
  }

  /// So small that segments, memory, the feed and slices are full soon.
  static func options(_ random: inout Random) -> Store.Options {
    var options = Store.Options()
    options.shardCount = random.pick([1, 2, 4])
    options.memoryBytesMax = random.pick([96 << 10, 192 << 10, 1 << 20])
    options.durability = random.pick([.journaled, .journaled, .journaled, .memory, .synced])
    options.checkpointJournalBytes = random.pick([16 << 10, 64 << 10])
    options.journal = JournalOptions(
      segmentBytes: random.pick([24 << 10, 32 << 10, 64 << 10]), recordBytesMax: 16 << 10,
      bytesMax: random.pick([128 << 10, 512 << 10]))
    options.slices.twinsMax = random.pick([1, 2, 5, 2_000])
    options.slices.keysMax = random.pick([1, 3, 1_000])
    options.slices.perCopy = random.pick([1, 2, 8])
    options.slices.trimTwinsMax = random.pick([1, 3, 256])
    options.slices.trimFactsMax = random.pick([5, 20_000])
    options.slices.trimFactsPerTwinMax = random.pick([4, 16, 20_000])
    options.slices.trimsMax = random.pick([1, 4, 16])
    options.slices.backupPages = random.pick([1, 7, 256])
    let rules: [Retention.Rule] = [
      .all, .all, .age(Int64(random.pick([1, 30_000, 300_000]))), .newest(random.pick([1, 3, 12])),
    ]
    options.retention = Retention(others: random.pick(rules))
    return options
  }

  /// What a store must show now.
  var expected: Expected { Expected(model: model, now: now, rule: options.retention.others) }

  func remember(_ write: Write, at place: Int) { writes[place] = write }

  /// A start has found so many entries of the log.
  func recover(_ count: Int) {
    let end = model.log.count
    counts.lost += model.recover(count).count
    for place in count..<max(end, count) { writes.removeValue(forKey: place)?.lose() }
  }

  func note(_ line: @autoclosure () -> String) { disk.note(line()) }
}

extension Store.Options {
  /// What happens now and then, in every history.
  mutating func doEverything() {
    slices.twinsMax = 2
    slices.keysMax = 1
    slices.perCopy = 1
    slices.backupPages = 7
    retention = Retention(others: .newest(1))
  }
}

// MARK: - Time

extension World {
  /// Time goes on, or is set.
  func letTimePass(_ random: inout Random) {
    clock.advance(micros: Int64(random.pick([0, 1, 700, 5_000, 40_000])))
    if jumpsClock && random.chance(100) {
      let micros = disbelieved == 0 ? Self.jumpMicros : -disbelieved
      clock.jump(by: micros)
      disbelieved += micros
      return note("the clock jumps to \(clock.wallMicros())")
    }
    guard setsClock && random.chance(60) else { return }
    let micros = Int64(random.within(1...random.pick([1_000, 50_000, 2_000_000])))
    clock.set(by: random.chance(700) ? -micros : micros)
    note("the clock is set to \(clock.wallMicros())")
  }

  /// More than a clock is believed at once.
  private static let jumpMicros: Int64 = 2 * 3_600_000_000

  /// Takes over what the store says is the present.
  func look(at store: Store) throws(HistoryFailure) {
    let present = store.now
    let earliest = max(clock.wallMicros() - disbelieved, model.log.last?.recordedAt ?? .min, toldThrough)
    if present < earliest { throw HistoryFailure("the present is \(present), after \(earliest)") }
    // Commits within one microsecond are recorded one after the other.
    let latest = clock.latest + Int64(model.log.count + counts.lost)
    if present > latest {
      throw HistoryFailure("the present is \(present), and it was never later than \(latest)")
    }
    now = present
  }

  /// When the store records a commit now: after all that was recorded, and all that somebody was told.
  var nextCommitTime: Int64 {
    let closed = max(model.log.last?.recordedAt ?? .min, toldThrough)
    return max(now, closed == .min ? .min : closed + 1)
  }

  /// A process begins. What the one before it told and did not record is forgotten; what its database was made to depend on
  /// is not.
  func begin(_ store: Store) throws(HistoryFailure) {
    toldThrough = .min
    // A process that begins does not know what time it was before.
    if disbelieved != 0 {
      clock.believe()
      disbelieved = 0
    }
    try look(at: store)
    let (closed, last) = (store.closedThrough, model.log.last?.recordedAt ?? .min)
    if closed < last || closed > now {
      throw HistoryFailure("commits are recorded after \(closed): it is \(now), and the last is of \(last)")
    }
    toldThrough = closed
  }

  /// Somebody is told what is known at the present: nothing is to be recorded before it.
  func tell(_ store: Store) throws(HistoryFailure) {
    let present = store.present()
    if present != now { throw HistoryFailure("the present is told to be \(present), and it is \(now)") }
    toldThrough = present
  }
}
