// What outlives a simulated process: the disk, the time, the agents and what they know.

import TwinStore

final class World: @unchecked Sendable {
  let disk: SimulatedDisk
  let clock: SimulatedClock
  let options: Store.Options
  let model = StoreModel()
  var wishes: Wishes
  var registers = Registers()
  var watchers: [Watcher]
  /// The last process stopped as it should.
  var stoppedClean = true
  /// The highest sequence that a start said it passed over.
  var jumpEnd: UInt64 = 0
  /// No process can go on.
  var isOver = false
  var counts = StoreHistory.Counts()
  /// By their place in the log.
  private var writes: [Int: Write] = [:]

  init(seed: inout Random, logLinesMax: Int?) {
    disk = SimulatedDisk(seed: seed.next(), logLinesMax: logLinesMax)
    clock = SimulatedClock(random: seed.fork())
    options = World.options(&seed)
    wishes = Wishes(twins: seed.within(4...24), random: seed.fork())
    watchers = (0..<2).map { Watcher(number: $0) }
  }

  /// So small that segments, memory and the feed are full soon.
  private static func options(_ random: inout Random) -> Store.Options {
    var options = Store.Options()
    options.shardCount = random.pick([1, 2, 4])
    options.memoryBytesMax = random.pick([96 << 10, 192 << 10, 1 << 20])
    options.durability = random.pick([.journaled, .journaled, .journaled, .memory, .synced])
    options.checkpointJournalBytes = random.pick([16 << 10, 64 << 10])
    options.journal = JournalOptions(
      segmentBytes: random.pick([24 << 10, 32 << 10, 64 << 10]), recordBytesMax: 16 << 10,
      bytesMax: random.pick([128 << 10, 512 << 10]))
    return options
  }

  func remember(_ write: Write, at place: Int) { writes[place] = write }

  /// A start has found so many entries of the log.
  func recover(_ count: Int) {
    let end = model.log.count
    counts.lost += model.recover(count).count
    for place in count..<max(end, count) { writes.removeValue(forKey: place)?.lose() }
  }

  func note(_ line: @autoclosure () -> String) { disk.note(line()) }
}
