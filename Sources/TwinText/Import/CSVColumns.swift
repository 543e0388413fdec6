// Converts rows of a CSV file to updates of twins.

import TwinClient

/// The columns of a CSV file.
package struct CSVColumns: Sendable {
  private enum Role { case id, validFrom, attribute(String), leftOut }

  private let rows: FlatRows
  private let names: [String]
  private let roles: [Role]
  private let idPlace: Int

  /// Throws naming the column that is missing, doubled or not an attribute's name. An empty one is left out.
  package init(_ names: [String], _ rows: FlatRows) throws(TextFault) {
    self.rows = rows
    self.names = names
    try Self.check(names, rows)
    idPlace = names.firstIndex(of: rows.idColumn) ?? 0
    var roles: [Role] = []
    var columns: [String: String] = [:]
    for name in names {
      if name == rows.idColumn {
        roles.append(.id)
      } else if name == rows.validFromColumn {
        roles.append(.validFrom)
      } else if let attribute = try rows.attribute(name) {
        if let other = columns.updateValue(name, forKey: attribute) {
          throw TextFault(
            other == name
              ? "the column \(name.excerpt()) appears twice: rename one with --columns"
              : "the columns \(other.excerpt()) and \(name.excerpt()) set the same attribute: change one with --map")
        }
        roles.append(.attribute(attribute))
      } else {
        roles.append(.leftOut)
      }
    }
    self.roles = roles
  }

  private static func check(_ names: [String], _ rows: FlatRows) throws(TextFault) {
    let stated = [("--id-column", [rows.idColumn]), ("--valid-from-column", [rows.validFromColumn].compactMap(\.self))]
    for (option, columns) in stated + rows.namedColumns {
      for column in columns.sorted() where !names.contains(column) {
        let near = names.first { $0.lowercased() == column.lowercased() } ?? NearestName.of(column, in: names)
        let all = "the columns are \(names.joined(separator: ", ").excerpt(200))"
        let meant = near.map { "did you mean \($0.excerpt())?" } ?? all
        throw TextFault("there is no column \(column.excerpt()) for \(option): \(meant)")
      }
    }
    for column in [rows.idColumn, rows.validFromColumn] where names.count(where: { $0 == column }) > 1 {
      throw TextFault("the column \((column ?? "").excerpt()) appears twice: rename one with --columns")
    }
    let wrong = names.filter { name in
      let isAttribute = !name.isEmpty && name != rows.idColumn && name != rows.validFromColumn
      return isAttribute && rows.attributes[name] == nil && (try? AttributeName.check(name)) == nil
    }
    guard let first = wrong.first else { return }
    let subject =
      wrong.count == 1
      ? "\(first.excerpt()) is not a valid attribute name"
      : "\(wrong.map { $0.excerpt() }.joined(separator: ", ")) are not valid attribute names"
    throw TextFault("\(subject): use \(FlatRows.remedy(wrong)), or --columns")
  }

  /// Nil when the row changes nothing.
  package func update(_ fields: [String]) throws -> TwinUpdate? {
    guard fields.count == names.count else {
      throw TextFault("the row has \(fields.count) fields, but there are \(names.count) columns")
    }
    let name = try rows.name(fields[idPlace])
    var validFrom: Int64?
    var changes: [Change] = []
    for (place, text) in fields.enumerated() {
      do {
        switch roles[place] {
        case .id, .leftOut: break
        case .validFrom: validFrom = text.isEmpty ? nil : try rows.validFrom(text)
        case .attribute(let attribute):
          if let change = try change(attribute, text, of: names[place]) { changes.append(change) }
        }
      } catch {
        throw TextFault("\(names[place]): \(error)")
      }
    }
    return changes.isEmpty ? nil : TwinUpdate(name, changes.map { $0.valid(from: validFrom) })
  }

  private func change(_ attribute: String, _ text: String, of column: String) throws -> Change? {
    guard text.isEmpty else { return try rows.change(attribute, text, of: column) }
    if rows.increments.contains(column) { return nil }
    switch rows.emptyCell {
    case .skip: return nil
    case .string: return rows.types[column] ?? .string == .string ? .set(attribute, .string("")) : nil
    case .remove: return .remove(attribute)
    }
  }
}

extension FlatRows {
  /// Columns that options name.
  fileprivate var namedColumns: [(option: String, columns: [String])] {
    [("--types", Array(types.keys)), ("--increment", Array(increments)), ("--map", Array(attributes.keys))]
  }
}
