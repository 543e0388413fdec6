// A history of the whole store on a simulated disk: agents, watches, checkpoints, crashes, faults, full disks.
//
// Promises checked after each crash: every acknowledged write is there at the level at which it was acknowledged, every
// other one whole or not at all, and none without all before it; images are the fold of the facts; no sequence is
// issued twice; a repeated write gets its first result if that survived; watches go on without a gap; what retention
// keeps is answered as if everything were kept; no time goes back, though the machine's clock does. A process whose
// disk failed writes no more and reads on; one whose disk was full goes on by itself. At the end each backup restores to
// the model at its sequence, and a check of everything finds nothing.

import TwinStore

package struct StoreHistory {
  /// What disturbs the second process; those after it run undisturbed.
  package enum Plan: Sendable {
    /// Several processes, each disturbed by chance or not.
    case random
    case undisturbed
    /// At this operation of the second process.
    case crash(at: Int, Crash)
    case fault(at: Int, errno: CInt, then: Crash)
  }

  /// What only some histories have, so that the others stay what they were.
  enum Peculiarity {
    /// One twin gets and loses more attributes than it can remember.
    case hoards
    /// The machine's clock jumps ahead by hours, and back.
    case jumps

    init?(seed: UInt64) {
      switch seed % 50 {
      case 48: self = .jumps
      case 49: self = .hoards
      default: return nil
      }
    }
  }

  package struct Counts: Sendable {
    package var commits = 0
    package var reads = 0
    package var refusals = 0
    package var checkpoints = 0
    package var starts = 0
    package var kills = 0
    package var powerFailures = 0
    package var faults = 0
    package var lost = 0
    package var backups = 0
    package var restores = 0
    /// Histories read of which facts were dropped.
    package var trimmed = 0

    package init() {}
  }

  private let world: World
  private var random: Random
  private let plan: Plan
  /// Operations of the second process, when it has ended.
  package private(set) var operations = 0
  /// Of the disk when the second process begins.
  private var start = 0

  package var disk: SimulatedDisk { world.disk }
  package var counts: Counts { world.counts }

  /// - Parameter pretending: operations that the disk only pretends to do.
  package init(
    seed: UInt64, plan: Plan = .random, pretending: Set<Operation> = [], logLinesMax: Int? = 0
  ) throws {
    random = Random(seed: seed)
    self.plan = plan
    var options = World.options(&random)
    if case .random = plan {} else { options.doEverything() }
    let peculiarity = if case .random = plan { Peculiarity(seed: seed) } else { Peculiarity?.none }
    world = World(options, seed: &random, peculiarity: peculiarity, logLinesMax: logLinesMax)
    let mount = world.disk.mount()
    try mount.makeDirectory(StoreLife.directory, mode: 0o700)
    try mount.makeDirectory(Backups.directory, mode: 0o700)
    try mount.syncDirectory("/")
    world.disk.pretend(pretending)
    if case .random = plan { world.disk.setInterruptions(perMille: random.pick([0, 0, 30])) }
  }

  package mutating func run() throws(HistoryFailure) {
    if case .random = plan {
      for _ in 0..<random.within(2...5) { try live(.byChance(&random), stepsMax: random.pick([20, 60, 150])) }
    } else {
      try live(.killed, stepsMax: 12)
      start = world.disk.operations
      try live(.planned(plan, after: start), stepsMax: 25)
      operations = world.disk.operations - start
    }
    try live(.undisturbed, stepsMax: 10)
    try live(.undisturbed, stepsMax: 5)
    try world.registers.check()
    try world.backups.check(world, &random)
    try verify()
  }

  /// What `twind verify` says of it all.
  private func verify() throws(HistoryFailure) {
    if !world.stoppedClean { return }
    let mount = world.disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 0 })
    defer { withExtendedLifetime(vfs) {} }
    let report: CheckReport
    do throws(StoreError) {
      report = try StoreCheck.run(directory: StoreLife.directory, fileSystem: mount, scratch: "/")
    } catch {
      throw HistoryFailure("it cannot be verified: \(error)")
    }
    if let problem = report.problems.first { throw HistoryFailure("it is unsound: \(problem)") }
  }

  private mutating func live(_ disturbance: Disturbance, stepsMax: Int) throws(HistoryFailure) {
    if world.isOver { return }
    let life = StoreLife(world, disturbance, random: random.fork())
    try life.run(steps: random.within(1...stepsMax))
  }
}

extension StoreHistory.Counts: CustomStringConvertible {
  package mutating func add(_ other: StoreHistory.Counts) {
    commits += other.commits
    reads += other.reads
    refusals += other.refusals
    checkpoints += other.checkpoints
    starts += other.starts
    kills += other.kills
    powerFailures += other.powerFailures
    faults += other.faults
    lost += other.lost
    backups += other.backups
    restores += other.restores
    trimmed += other.trimmed
  }

  package var description: String {
    "\(commits) commits, \(lost) of them lost where they may be, \(refusals) refused; \(reads) reads, "
      + "\(checkpoints) checkpoints, \(starts) starts, \(kills) kills, \(powerFailures) power failures, "
      + "\(faults) operations of the disk failed, \(backups) backups, \(restores) restored, "
      + "\(trimmed) trimmed histories read"
  }
}
