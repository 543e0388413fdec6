// What befalls one process of a history.

import Glibc

struct Disturbance {
  enum End {
    case clean
    case crash(Crash)
  }

  /// Counted from the process's first operation.
  var crashAt: Int?
  var fault: (at: Int, errno: CInt, lasts: Bool, only: Operation?)?
  /// At which step the disk has only so many bytes left, and for how many steps.
  var full: (step: Int, bytes: Int, steps: Int)?
  /// After its last step, however it ends.
  var backsUp = false
  var end = End.clean

  static let undisturbed = Disturbance()
  static let killed = Disturbance(end: .crash(.process))

  static func byChance(_ random: inout Random) -> Disturbance {
    var disturbance = Disturbance()
    if random.chance(250) {
      disturbance.full = (random.below(30), random.pick([0, 1, 5, 40, 100]) << 10, random.within(1...20))
    }
    let soon = random.within(1...random.pick([20, 60, 300, 1_000]))
    let crash = Disturbance.End.crash(random.pick([.power, .power, .process]))
    switch random.below(10) {
    case 0..<5: (disturbance.crashAt, disturbance.end) = (soon, crash)
    case 5: disturbance.end = crash
    case 6..<8:
      let kinds: [Operation?] = [nil] + Operation.allCases.filter { $0 != .makeDirectory }
      disturbance.fault = (soon, random.pick([EIO, EIO, ENOSPC, EMFILE]), random.chance(500), random.pick(kinds))
      disturbance.end = crash
    default: break
    }
    return disturbance
  }

  static func planned(_ plan: StoreHistory.Plan, after start: Int) -> Disturbance {
    switch plan {
    case .random: .undisturbed
    case .undisturbed: Disturbance(backsUp: true)
    case .crash(let operation, let crash): Disturbance(crashAt: operation, backsUp: true, end: .crash(crash))
    case .fault(let operation, let errno, let crash):
      Disturbance(fault: (operation, errno, false, nil), backsUp: true, end: .crash(crash))
    }
  }
}
