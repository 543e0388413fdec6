// How rows of a table map to twins and attributes.

import TwinClient

/// What empty cells do.
package enum EmptyCell: String, CaseIterable, Sendable {
  /// Changes nothing.
  case skip
  /// Sets the empty string, in a column of strings.
  case string
  /// Removes the attribute.
  case remove
}

/// Columns have the names in the file's header, or in --columns.
package struct FlatRows: Sendable {
  package let space: String
  package let kind: String
  /// The column with the id.
  package let idColumn: String
  /// The kinds of columns. In CSV all others are strings; in NDJSON they follow from the JSON.
  package let types: [String: ValueKind]
  /// Attribute names that differ from the column's name; an empty one skips the column.
  package var attributes: [String: String] = [:]
  /// Columns that increment their attributes.
  package var increments: Set<String> = []
  /// The column with the time from which the others hold.
  package var validFromColumn: String?
  /// nil: RFC 3339.
  package var timeFormat: TimeFormat?
  package var emptyCell = EmptyCell.skip

  package init(space: String, kind: String, idColumn: String, types: [String: ValueKind]) {
    self.space = space
    self.kind = kind
    self.idColumn = idColumn
    self.types = types
  }

  func name(_ id: String) throws(TextFault) -> String {
    if id.isEmpty { throw TextFault("\(idColumn), the id of the twin, is empty") }
    return "\(space)/\(kind)/\(id)"
  }

  /// Throws if the name is not valid for an attribute. nil: the column is skipped.
  func attribute(_ column: String) throws(TextFault) -> String? {
    let name = attributes[column] ?? column
    if name.isEmpty { return nil }
    do {
      try AttributeName.check(name)
    } catch {
      guard attributes[column] == nil else { throw error }
      throw TextFault("\(column.excerpt()) is not a valid attribute name: use \(Self.remedy([column]))")
    }
    return name
  }

  /// The options that rename these columns.
  static func remedy(_ columns: [String]) -> String {
    let pairs = columns.map { "\($0)=\(AttributeName.suggestion(for: $0) ?? "NAME")" }
    return pairs.map { "--map \($0.excerpt(160))" }.joined(separator: " ")
  }

  /// The change for a text, by the kind of its column.
  func change(_ attribute: String, _ text: String, of column: String) throws -> Change {
    let isIncrement = increments.contains(column)
    let kind = types[column] ?? (isIncrement ? .int : .string)
    let value = try self.value(text, kind)
    return isIncrement ? .increment(attribute, by: value) : .set(attribute, value)
  }

  func value(_ text: String, _ kind: ValueKind) throws -> Value {
    guard kind == .timestamp else { return try Value(text, as: kind) }
    guard let time = time(text) else { throw TextFault("\(text.excerpt()) is not a timestamp: \(timeRemedy)") }
    return .timestamp(time)
  }

  /// The time from which a row's values hold.
  func validFrom(_ text: String) throws(TextFault) -> Int64 {
    guard let time = time(text) else { throw TextFault("\(text.excerpt()) is not a time: \(timeRemedy)") }
    // On the wire 0 stands for a time that is not stated.
    if time == 0 {
      throw TextFault(
        "\(text.excerpt()) is the Unix epoch itself, which is not supported: write a microsecond later")
    }
    return time
  }

  private func time(_ text: String) -> Int64? { timeFormat.map { $0.parse(text) } ?? TimestampText.parse(text) }

  private var timeRemedy: String {
    if let timeFormat { return "--time-format says \(timeFormat.text.excerpt())" }
    return "write RFC 3339, for example 2026-01-31T09:00:00Z, or give the format with --time-format"
  }
}
