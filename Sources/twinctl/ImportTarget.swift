// Where an import writes its rows, and its summary.

import TwinClient
import TwinText

protocol ImportTarget {
  /// Throws a TextFault for an invalid row.
  mutating func add(_ row: ImportRow) throws
  /// Returns when everything that was added has been written.
  mutating func finish() throws
  /// The summary for people.
  var outcome: String { get }
  /// The summary for programs.
  func add(to object: inout JSONObject)
}

/// Prints the first few rows as they would be written.
struct ImportPreview: ImportTarget {
  private static let shownMax = 3

  let isShown: Bool
  private var twinCount = 0
  private var changeCount = 0

  init(isShown: Bool) { self.isShown = isShown }

  mutating func add(_ row: ImportRow) throws {
    _ = try row.parts()
    twinCount += 1
    changeCount += row.update.changes.count
    guard isShown && twinCount <= Self.shownMax else { return }
    let changes = row.update.changes.map(\.text).joined(separator: "  ")
    try Terminal.print(DisplayText.line("\(row.update.name)  \(changes)", width: Terminal.tableWidth - 1))
  }

  mutating func finish() {}

  var outcome: String { "nothing written: \(FixedText.count(changeCount, "change")) to make" }

  func add(to object: inout JSONObject) {
    object.add("dry_run", true)
    object.add("changes", changeCount)
  }
}

extension Change {
  /// `visits=3`, `visits+1`, `-visits`, with `from …` if there is a time.
  fileprivate var text: String {
    let text =
      switch operation {
      case .set(let value): "\(attribute)=\(value.compact())"
      case .increment(let delta): "\(attribute)\(delta.jsonText.hasPrefix("-") ? "" : "+")\(delta.jsonText)"
      case .remove: "-\(attribute)"
      }
    return validFrom.map { "\(text) from \(TimestampText.local($0))" } ?? text
  }
}

/// The summary of an import.
struct ImportReport {
  private let rowCount: Int
  private let progress: Progress
  private let rejected: RejectsFile

  init(_ rowCount: Int, _ progress: Progress, _ rejected: RejectsFile) {
    self.rowCount = rowCount
    self.progress = progress
    self.rejected = rejected
  }

  func show(_ target: any ImportTarget, json: Bool) throws(Failure) {
    if json { return try Terminal.print(self.json(target)) }
    for (line, reason) in rejected.examples { Terminal.warn("line \(line): \(reason)") }
    let rate = FixedText.grouped(UInt64(progress.rate(rowCount)))
    let seconds = FixedText.format(progress.seconds, places: 1)
    var text = "\(FixedText.count(rowCount, "row")) in \(seconds) s (\(rate)/s), \(target.outcome)"
    if rejected.count > 0 {
      text += ", \(FixedText.count(rejected.count, "row")) rejected: see \(DisplayText.line(rejected.path))"
    }
    try Terminal.print(text)
    if rejected.isFull { Terminal.warn("stopped: more rows were rejected than --max-rejects allows") }
  }

  private func json(_ target: any ImportTarget) -> String {
    var object = JSONObject()
    object.add("rows", rowCount)
    target.add(to: &object)
    object.add("rejected", rejected.count)
    if rejected.count > 0 {
      object.add("rejects", rejected.path)
      object.add("examples", json: JSONObject.array(rejected.examples.map(example)))
    }
    if rejected.isFull { object.add("stopped", true) }
    object.add("seconds", progress.seconds)
    return object.text
  }

  private func example(_ line: Int, _ reason: String) -> String {
    var object = JSONObject()
    object.add("line", line)
    object.add("reason", reason)
    return object.text
  }
}
