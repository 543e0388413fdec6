// twind recover

import ArgumentParser
import Glibc
import TwinStore
import TwinText

struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Repair a damaged data directory by dropping what is damaged.",
    discussion: """
      Use it when twind refuses to start or reports a damaged twin. That message, or `twind verify`, says which option
      to use. Restoring a backup may lose less.

      --drop-after    drops the end of a damaged journal: every commit after a sequence. The dropped bytes are kept
                      next to the journal in files that end in .dropped, which twind never reads again.
      --drop-twin     drops one twin with its history. The twin is then deleted and can be created again. If twind still
                      serves it, save it first: twinctl export NAME > twin.ndjson
      --drop-keys     drops all idempotency keys: a write that is retried may then take effect twice.
      --rebuild       rebuilds the indexes and counts the rows again. Rows that are missing stay missing.
      --reset-clock   corrects times from a clock that was ahead: everything recorded later than now gets the recorded
                      time of the last commit before that. Set the system's clock first.

      The command says what it will do, and asks before it does it. Then it checks the directory like `twind verify`.

      EXAMPLES
        twind verify --data-dir /var/lib/twind
        twind recover --data-dir /var/lib/twind --drop-after 48213
        twind recover --data-dir /var/lib/twind --drop-twin acme/customer/42
        twind recover --data-dir /var/lib/twind --reset-clock
      """)

  @Option(help: "The data directory.") var dataDir: String
  @Option(help: ArgumentHelp("The last sequence to keep.", valueName: "sequence")) var dropAfter: UInt64?
  @Option(help: ArgumentHelp("A twin to drop, or its row number; may be repeated.", valueName: "name or row"))
  var dropTwin: [String] = []
  @Flag(help: "Drop all idempotency keys.") var dropKeys = false
  @Flag(help: "Rebuild the indexes and recount the rows.") var rebuild = false
  @Flag(help: "Correct times from a clock that was ahead.") var resetClock = false
  @Flag(help: "Do not ask.") var yes = false

  func validate() throws {
    let repairs = !dropTwin.isEmpty || dropKeys || rebuild
    if [dropAfter != nil, repairs, resetClock].count(where: \.self) != 1 {
      throw ValidationError(
        "choose what to do: --drop-after, --reset-clock, or any of --drop-twin, --drop-keys and --rebuild")
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
      throw ValidationExit("nothing was changed: cannot ask for confirmation without a terminal; add --yes to go ahead")
    }
    print("Continue? Type yes: ", terminator: "")
    fflush(nil)
    guard readLine() == "yes" else { throw ValidationExit("nothing was changed") }
  }
}
