// Converts flat JSON objects to updates of twins.

import TwinClient

extension FlatRows {
  /// nil if the object sets nothing: null makes no change.
  package func update(_ object: [UInt8]) throws -> TwinUpdate? {
    var reader = JSONReader(object)
    var id: String?
    var validFrom: Int64?
    var changes: [Change] = []
    var seen: Set<String> = []
    try reader.object { (reader, column) in
      guard seen.insert(column).inserted else { throw TextFault("\(column.excerpt()) appears twice") }
      if column == idColumn {
        id = try self.id(&reader)
      } else if column == validFromColumn {
        validFrom = try time(&reader)
      } else if let attribute = try attribute(column) {
        if let change = try change(attribute, &reader, of: column) { changes.append(change) }
      } else {
        _ = try reader.skip()
      }
    }
    try reader.finish()
    guard let id else { throw TextFault("\(idColumn), the id of the twin, is missing") }
    let name = try name(id)
    if changes.isEmpty { return nil }
    return TwinUpdate(name, changes.map { $0.valid(from: validFrom) })
  }

  private func id(_ reader: inout JSONReader) throws -> String {
    switch try reader.kind() {
    case .string: return try Value.storable(reader.string())
    case .number: return try reader.number()
    default: throw TextFault("\(idColumn) must be a string or a number")
    }
  }

  private func time(_ reader: inout JSONReader) throws -> Int64? {
    switch try reader.kind() {
    case .null:
      try reader.null()
      return nil
    case .string: return try validFrom(reader.string())
    case .number: return try validFrom(reader.number())
    default: throw TextFault("\(validFromColumn ?? "") must be a string or a number")
    }
  }

  private func change(_ attribute: String, _ reader: inout JSONReader, of column: String) throws -> Change? {
    let isIncrement = increments.contains(column)
    guard let kind = types[column] ?? (isIncrement ? .int : nil) else {
      return try reader.plainValue().map { .set(attribute, $0) }
    }
    var value = try reader.skip()
    if value.text == "null" && kind != .json { return nil }
    do {
      if isIncrement { return .increment(attribute, by: try value.value(kind)) }
      return .set(attribute, try typed(&value, kind))
    } catch {
      throw TextFault("\(column): \(error)")
    }
  }

  private func typed(_ reader: inout JSONReader, _ kind: ValueKind) throws -> Value {
    guard kind == .timestamp, timeFormat != nil else { return try reader.value(kind) }
    return try value(reader.kind() == .number ? reader.number() : reader.string(), kind)
  }
}

extension Change {
  /// With its valid time, if there is one.
  func valid(from time: Int64?) -> Change {
    var change = self
    change.validFrom = time ?? validFrom
    return change
  }
}
