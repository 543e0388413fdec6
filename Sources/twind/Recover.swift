// twind recover

import ArgumentParser
import Glibc
import TwinStore
import TwinText

struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give up what is damaged, when twind refuses to start or says that a twin is damaged.",
    discussion: """
      The message with which twind refuses to start, and `twind verify`, name the option that helps. Restoring a backup
      may lose less.

      --drop-after    gives up the end of a damaged journal: every commit after a sequence. What is dropped stays beside
                      the journal in files that end in .dropped, which nobody reads again.
      --drop-twin     gives up one twin and its history. It is deleted then, and may be created again. If twind still serves
                      it, save it first: twinctl export --prefix NAME > twin.jsonl
      --drop-keys     forgets all idempotency keys: a write that is retried may be done twice.
      --rebuild       takes what is there for all there is: rebuilds the indexes and counts the rows again.
      --reset-clock   takes back times of a clock that was ahead: what was recorded after now is recorded as of the last
                      commit before. Set the system's clock right first.

      Each says what it will do and asks first. Afterwards the whole directory is checked as by `twind verify`.

      EXAMPLES
        twind verify --data-dir /var/lib/twind
        twind recover --data-dir /var/lib/twind --drop-after 48213
        twind recover --data-dir /var/lib/twind --drop-twin acme/customer/42
        twind recover --data-dir /var/lib/twind --reset-clock
      """)

  @Option(help: "Where the twins are.") var dataDir: String
  @Option(help: ArgumentHelp("The last sequence to keep.", valueName: "sequence")) var dropAfter: UInt64?
  @Option(help: ArgumentHelp("A twin to give up, or the number of its row; may be repeated.", valueName: "name or row"))
  var dropTwin: [String] = []
  @Flag(help: "Forget all idempotency keys.") var dropKeys = false
  @Flag(help: "Rebuild the indexes and count the rows again.") var rebuild = false
  @Flag(help: "Take back times of a clock that was ahead.") var resetClock = false
  @Flag(help: "Do not ask.") var yes = false

  func validate() throws {
    let repairs = !dropTwin.isEmpty || dropKeys || rebuild
    if [dropAfter != nil, repairs, resetClock].count(where: \.self) != 1 {
      throw ValidationError(
        "say what is to be done: --drop-after, --reset-clock, or --drop-twin, --drop-keys and --rebuild together")
    }
  }

  func run() throws {
    if let dropAfter {
      try run(
        saying { () throws(StoreError) in
          try DropPlan(after: dropAfter, directory: dataDir, scratch: scratchDirectory)
        })
    } else if resetClock {
      try run(saying { () throws(StoreError) in try ClockReset(directory: dataDir, scratch: scratchDirectory) })
    } else {
      let wanted = RepairPlan.Wanted(twins: dropTwin, keys: dropKeys)
      try run(
        saying { () throws(StoreError) in try RepairPlan(wanted, directory: dataDir, scratch: scratchDirectory) })
    }
  }

  private func run(_ plan: some RecoverPlan) throws {
    print(plan.text)
    if plan.isNeeded {
      try confirm()
      print(try saying { () throws(StoreError) in try plan.carryOut() })
    }
    let report = try saying { () throws(StoreError) in
      let line = ProgressLine()
      return try plan.check { line.show($0) }
    }
    print(report.text(of: dataDir))
    try exitIfDamaged(report)
  }

  private func confirm() throws {
    if yes { return }
    guard isatty(STDIN_FILENO) == 1 else {
      throw ValidationExit("nothing was changed: there is no terminal to ask, add --yes to do this")
    }
    print("Do this? Type yes: ", terminator: "")
    fflush(nil)
    guard readLine() == "yes" else { throw ValidationExit("nothing was changed") }
  }
}
