// Rows of a table, and flat JSON objects, as updates of twins.

import TwinClient

/// Which twins the rows are about, and what their columns hold.
package struct FlatRows: Sendable {
  package let space: String
  package let kind: String
  /// Whose value becomes the id.
  package let idColumn: String
  /// Kinds of columns; in CSV others are strings, in NDJSON what JSON shows.
  package let types: [String: ValueKind]

  package init(space: String, kind: String, idColumn: String, types: [String: ValueKind]) {
    self.space = space
    self.kind = kind
    self.idColumn = idColumn
    self.types = types
  }

  /// `column:kind,column:kind`
  package static func types(_ text: String) throws(TextFault) -> [String: ValueKind] {
    var types: [String: ValueKind] = [:]
    for part in text.split(separator: ",") {
      guard let colon = part.lastIndex(of: ":") else {
        throw TextFault("\(String(part).excerpt()) names no kind: write column:kind,column:kind")
      }
      let column = String(part[..<colon])
      let word = String(part[part.index(after: colon)...])
      let kind = try ValueKind(named: word)
      guard types.updateValue(kind, forKey: column) == nil else {
        throw TextFault("the kind of \(column.excerpt()) is stated twice")
      }
    }
    return types
  }

  func name(_ id: String) throws(TextFault) -> String {
    if id.isEmpty { throw TextFault("\(idColumn) is empty: the id of the twin is missing") }
    return "\(space)/\(kind)/\(id)"
  }

  /// Nil when the object sets nothing: null makes no change.
  package func update(_ object: [UInt8]) throws -> TwinUpdate? {
    var reader = JSONReader(object)
    var id: String?
    var changes: [Change] = []
    var seen: Set<String> = []
    try reader.object { (reader, column) in
      guard seen.insert(column).inserted else { throw TextFault("\(column.excerpt()) appears twice") }
      if column == idColumn {
        id = try self.id(&reader)
      } else if let value = try value(column, &reader) {
        changes.append(.set(column, value))
      }
    }
    try reader.finish()
    guard let id else { throw TextFault("\(idColumn) is missing: the id of the twin") }
    let update = TwinUpdate(try name(id), changes)
    return changes.isEmpty ? nil : update
  }

  private func id(_ reader: inout JSONReader) throws -> String {
    switch try reader.kind() {
    case .string: return try Value.storable(reader.string())
    case .number: return try reader.number()
    default: throw TextFault("\(idColumn) is neither a string nor a number")
    }
  }

  private func value(_ column: String, _ reader: inout JSONReader) throws -> Value? {
    try AttributeName.check(column)
    guard let kind = types[column] else { return try reader.plainValue() }
    var value = try reader.skip()
    if value.text == "null" && kind != .json { return nil }
    do {
      return try value.value(kind)
    } catch {
      throw TextFault("\(column): \(error)")
    }
  }
}

/// The columns of a CSV file.
package struct CSVColumns: Sendable {
  private let rows: FlatRows
  private let names: [String]
  private let idPlace: Int

  /// Throws naming the column that is missing, doubled or not an attribute's name. An empty one is left out.
  package init(_ names: [String], _ rows: FlatRows) throws(TextFault) {
    self.rows = rows
    self.names = names
    guard let idPlace = names.firstIndex(of: rows.idColumn) else {
      throw TextFault(
        "there is no column \(rows.idColumn.excerpt()) for --id-column: the columns are \(names.joined(separator: ", ").excerpt(200))"
      )
    }
    self.idPlace = idPlace
    var seen: Set<String> = []
    for name in names where !name.isEmpty {
      if !seen.insert(name).inserted {
        throw TextFault("the column \(name.excerpt()) appears twice: rename one with --columns")
      }
      if name == rows.idColumn { continue }
      do {
        try AttributeName.check(name)
      } catch {
        throw TextFault("\(error); rename columns with --columns")
      }
    }
    for column in rows.types.keys.sorted() where !seen.contains(column) {
      throw TextFault("--types names \(column.excerpt()), which is no column")
    }
  }

  /// Nil when the row sets nothing: an empty cell makes no change.
  package func update(_ fields: [String]) throws -> TwinUpdate? {
    guard fields.count == names.count else {
      throw TextFault("\(fields.count) fields, but \(names.count) columns")
    }
    let name = try rows.name(fields[idPlace])
    var changes: [Change] = []
    for (place, text) in fields.enumerated() where place != idPlace && !text.isEmpty && !names[place].isEmpty {
      do {
        changes.append(.set(names[place], try Value(text, as: rows.types[names[place]] ?? .string)))
      } catch {
        throw TextFault("\(names[place]): \(error)")
      }
    }
    return changes.isEmpty ? nil : TwinUpdate(name, changes)
  }
}
