// Describes what `twind recover` is going to do.

import TwinStore
import TwinText

protocol RecoverPlan {
  /// What will be done, as lines of text.
  var text: String { get }
  var isNeeded: Bool { get }
  /// Executes the plan and describes the result.
  func carryOut() throws(StoreError) -> String
  func check(progress: (CheckProgress) -> Void) throws(StoreError) -> CheckReport
}

extension DropPlan: RecoverPlan {
  var text: String {
    var lines = ["the database has everything up to sequence \(appliedSequence)"]
    if isJournalMissing {
      lines.append("there is no journal: commits after that, if there were any, are lost")
      return lines.joined(separator: "\n")
    }
    lines.append(
      "kept from the journal: \(FixedText.count(keptCount, "commit")) after that, up to sequence \(keptThrough)")
    if let damage { lines.append("the journal is damaged: \(damage)") }
    if let dropped {
      lines.append(
        "dropped: \(FixedText.count(droppedCount, "readable commit")), sequences \(dropped.lowerBound) to "
          + "\(dropped.upperBound)" + (damage == nil ? "" : ", and the damaged part"))
    } else if damage != nil {
      lines.append("dropped: the damaged part, and no readable commit")
    } else {
      lines.append("there is nothing to drop")
    }
    if isNeeded {
      lines.append(
        hasSynced
          ? "some of it was synced to disk: it may include writes that were acknowledged as SYNCED"
          : "as far as is known none of it was synced to disk: it includes no write that was acknowledged as SYNCED")
    }
    return lines.joined(separator: "\n")
  }

  func carryOut() throws(StoreError) -> String {
    let report = try run()
    return "\(FixedText.bytes(UInt64(report.bytesDropped))) dropped after sequence \(report.lastSequence)"
      + (report.files.isEmpty ? "" : ", kept in\n  " + report.files.joined(separator: "\n  "))
  }
}

extension RepairPlan: RecoverPlan {
  var text: String {
    var lines: [String] = []
    for twin in twins {
      let name = twin.name.map { DisplayText.line(String(decoding: $0, as: UTF8.self)) } ?? "a twin without a name"
      lines.append(
        "dropped: \(name), row \(twin.row), with \(FixedText.count(twin.factCount, "fact")) of history: "
          + (twin.fault.map { "its row is damaged, \($0)" } ?? "its row is intact"))
    }
    if keyCount > 0 { lines.append("dropped: \(FixedText.count(keyCount, "idempotency key"))") }
    if strayFactCount > 0 { lines.append("dropped: \(FixedText.count(strayFactCount, "fact")) that belong to no twin") }
    for (table, count) in missing {
      lines.append("already missing, and no longer expected: \(FixedText.count(count, "row")) of the table \(table)")
    }
    lines.append("the indexes are rebuilt and the rows are counted again")
    return lines.joined(separator: "\n")
  }

  var isNeeded: Bool { true }

  func carryOut() throws(StoreError) -> String {
    try run()
    return "done"
  }
}

extension ClockReset: RecoverPlan {
  var text: String {
    let now = "it is \(TimestampText.local(now))"
    if !isNeeded { return "\(now), and nothing was recorded after that" }
    return """
      \(now), and the last commit was recorded at \(TimestampText.local(latest))
      recorded again: \(FixedText.count(commitCount, "commit")) of \(FixedText.count(twinCount, "twin")), as of the last commit before them
      """
  }

  func carryOut() throws(StoreError) -> String {
    try run()
    return "done"
  }
}
