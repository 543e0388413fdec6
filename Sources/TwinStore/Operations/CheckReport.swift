// What a check of a data directory or of a backup found, for `twind verify`, `recover` and `restore` and for backups.

/// How far a check or a copy is.
package struct CheckProgress: Sendable {
  /// What is being done: "copying", "twins", "journal".
  package var step: String
  package var done: Int
  /// 0 = not known.
  package var total: Int

  package init(step: String, done: Int, total: Int) {
    self.step = step
    self.done = done
    self.total = total
  }
}

package struct CheckReport: Sendable {
  package enum Part: String, CaseIterable, Sendable {
    case database, checkpoint, twins, facts, idempotency, journal, replay

    /// What is counted of it.
    package var unit: String {
      switch self {
      case .database: "page"
      case .checkpoint, .twins, .facts, .idempotency: "row"
      case .journal: "record"
      case .replay: "commit"
      }
    }
  }

  package struct Problem: Equatable, Sendable {
    package var part: Part
    package var path: String
    /// A row, or a byte of the file.
    package var place: String
    package var reason: String
    /// What the operator can do.
    package var remedy: String
  }

  /// Problems that are kept of one part; all are counted.
  package static let problemsPerPartMax = 50

  /// Those that were looked at, with the number of things checked.
  package private(set) var checked: [Part: Int] = [:]
  package private(set) var problemCounts: [Part: Int] = [:]
  package private(set) var problems: [Problem] = []
  /// Everything up to this sequence is there.
  package internal(set) var sequence: UInt64 = 0

  package var isSound: Bool { problemCounts.isEmpty }

  mutating func count(_ part: Part, _ count: Int = 1) { checked[part, default: 0] += count }

  mutating func add(_ part: Part, _ path: String, _ place: String, _ reason: String, remedy: String = Remedy.backup) {
    problemCounts[part, default: 0] += 1
    if problemCounts[part, default: 0] <= Self.problemsPerPartMax {
      problems.append(Problem(part: part, path: path, place: place, reason: reason, remedy: remedy))
    }
  }
}

extension CheckReport.Problem: CustomStringConvertible {
  package var description: String { "\(path), \(place): \(reason). To go on, \(remedy)" }
}
