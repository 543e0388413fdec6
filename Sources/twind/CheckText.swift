// Formats the result of a check, as a table or as JSON.

import ArgumentParser
import TwinStore
import TwinText

extension CheckReport {
  /// A line for each part, the problems, and the result.
  func text(of directory: String) -> String {
    var table = Table([.init("PART"), .init("CHECKED", .right), .init("RESULT")])
    for part in Part.allCases {
      guard let count = checked[part] else {
        table.add([part.rawValue, "-", "not checked"])
        continue
      }
      let result = problemCounts[part].map { FixedText.count($0, "problem") } ?? "ok"
      table.add([part.rawValue, FixedText.count(count, part.unit), result])
    }
    var text = table.text()
    for problem in problems { text += "\(problem.part.rawValue): \(problem)\n" }
    let hidden = problemCounts.values.reduce(0, +) - problems.count
    if hidden > 0 { text += "and \(FixedText.grouped(UInt64(hidden))) more like this\n" }
    text += isSound ? "ok: \(directory) has everything up to sequence \(sequence)" : "damaged: \(directory)"
    return text
  }

  /// {"ok", "data_dir", "sequence", "parts": [{"part", "checked", "unit", "problems"}], "problems": [{"part", "path",
  /// "place", "reason", "remedy"}]}. `checked` is null for what could not be checked.
  func json(of directory: String) -> String {
    var object = JSONObject()
    object.add("ok", isSound)
    object.add("data_dir", directory)
    object.add("sequence", sequence)
    object.add("parts", json: "[" + Part.allCases.map(json).joined(separator: ",") + "]")
    object.add("problems", json: "[" + problems.map(\.json).joined(separator: ",") + "]")
    return object.text
  }

  private func json(_ part: Part) -> String {
    var object = JSONObject()
    object.add("part", part.rawValue)
    if let count = checked[part] { object.add("checked", count) } else { object.add("checked", json: "null") }
    object.add("unit", part.unit)
    object.add("problems", problemCounts[part] ?? 0)
    return object.text
  }
}

extension CheckReport.Problem {
  fileprivate var json: String {
    var object = JSONObject()
    object.add("part", part.rawValue)
    object.add("path", path)
    object.add("place", place)
    object.add("reason", reason)
    object.add("remedy", remedy)
    return object.text
  }
}

/// Exits with code 1 without another message.
func exitIfDamaged(_ report: CheckReport) throws {
  if !report.isSound { throw ExitCode.failure }
}
