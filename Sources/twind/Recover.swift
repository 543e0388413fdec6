// twind recover

import ArgumentParser
import Glibc
import TwinStore
import TwinText

struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give up the end of a damaged journal, when twind refuses to start.",
    discussion: """
      Drops every commit after a sequence, and with a damaged journal all that follows the damage. The message with
      which twind refuses to start, and `twind verify`, name the sequence. Restoring a backup may lose less.

      Says what it will drop and asks first. What is dropped stays beside the journal in files that end in .dropped,
      which nobody reads again. Afterwards the whole directory is checked as by `twind verify`.

      EXAMPLES
        twind verify --data-dir /var/lib/twind
        twind recover --data-dir /var/lib/twind --drop-after 48213
      """)

  @Option(help: "Where the twins are.") var dataDir: String
  @Option(help: ArgumentHelp("The last sequence to keep.", valueName: "sequence")) var dropAfter: UInt64
  @Flag(help: "Do not ask.") var yes = false

  func run() throws {
    let plan = try saying { () throws(StoreError) in
      try DropPlan(after: dropAfter, directory: dataDir, scratch: scratchDirectory)
    }
    print(Self.text(plan))
    guard plan.isNeeded else { return try verify(plan) }
    try confirm()
    let report = try saying { () throws(StoreError) in try plan.run() }
    print(
      "\(FixedText.bytes(UInt64(report.bytesDropped))) dropped after sequence \(report.lastSequence)"
        + (report.files.isEmpty ? "" : ", kept in\n  " + report.files.joined(separator: "\n  ")))
    try verify(plan)
  }

  private static func text(_ plan: DropPlan) -> String {
    var lines = [
      "the database holds everything up to sequence \(plan.appliedSequence)",
      "of the journal \(FixedText.count(plan.keptCount, "commit")) after that stay, up to sequence \(plan.keptThrough)",
    ]
    if let damage = plan.damage { lines.append("the journal is damaged: \(damage)") }
    if let dropped = plan.dropped {
      lines.append(
        "dropped: \(FixedText.count(plan.droppedCount, "commit")) that can be read, sequences \(dropped.lowerBound) to "
          + "\(dropped.upperBound)" + (plan.damage == nil ? "" : ", and what the damage holds"))
    } else if plan.damage != nil {
      lines.append("dropped: what the damage holds, and no commit that can be read")
    } else {
      lines.append("nothing is to be dropped")
    }
    return lines.joined(separator: "\n")
  }

  private func confirm() throws {
    if yes { return }
    guard isatty(STDIN_FILENO) == 1 else {
      throw ValidationExit("nothing was changed: there is no terminal to ask, add --yes to drop this")
    }
    print("Drop this? Type yes: ", terminator: "")
    fflush(nil)
    guard readLine() == "yes" else { throw ValidationExit("nothing was changed") }
  }

  private func verify(_ plan: DropPlan) throws {
    let report = try saying { () throws(StoreError) in
      let line = ProgressLine()
      return try plan.check { line.show($0) }
    }
    print(report.text(of: dataDir))
    try exitIfDamaged(report)
  }
}
