// Converts lines of `twinctl export` to writes that recreate the twin.
//
// A commit has one agent and one purpose, and one change for each attribute. So a line becomes several writes, in
// rounds: those of one round can be made in any order, but before those of the next round.

import TwinClient

/// The agent and purpose of a write; nil: those of the import.
package struct Author: Hashable, Sendable {
  package var agent: String?
  package var purpose: String?

  package init(agent: String? = nil, purpose: String? = nil) {
    self.agent = agent
    self.purpose = purpose
  }
}

/// One of the writes for a line.
package struct ExportedUpdate: Equatable, Sendable {
  package var update: TwinUpdate
  package let author: Author
  package let round: Int

  package init(update: TwinUpdate, author: Author, round: Int) {
    self.update = update
    self.author = author
    self.round = round
  }
}

package struct ExportLine {
  /// Keep valid times and scheduled facts. Otherwise values hold from the import on.
  package let keepsValidTimes: Bool

  package init(keepsValidTimes: Bool) { self.keepsValidTimes = keepsValidTimes }

  /// The writes that recreate the twin of a line.
  package func updates(_ line: [UInt8]) throws -> [ExportedUpdate] {
    var reader = JSONReader(line)
    var name: String?
    var attributes: [ExportedChange]?
    var scheduled: [ExportedChange] = []
    try reader.object { (reader, member) in
      switch member {
      case "name": name = try Value.storable(reader.string())
      case "attributes": attributes = try self.attributes(&reader)
      case "scheduled" where keepsValidTimes: scheduled = try self.scheduled(&reader)
      default: _ = try reader.skip()
      }
    }
    try reader.finish()
    guard let name, let attributes else {
      let missing = name == nil ? "name" : "attributes"
      throw TextFault("\(missing) is missing: flat objects need --space, --kind and --id-column")
    }
    return Self.rounds(of: name, attributes + scheduled)
  }

  private func attributes(_ reader: inout JSONReader) throws -> [ExportedChange] {
    var changes: [ExportedChange] = []
    var seen: Set<String> = []
    try reader.object { (reader, name) in
      guard seen.insert(name).inserted else { throw TextFault("the attribute \(name) appears twice") }
      changes.append(try ExportedChange(&reader, of: name, keepsValidTimes: keepsValidTimes))
    }
    return changes
  }

  private func scheduled(_ reader: inout JSONReader) throws -> [ExportedChange] {
    var changes: [ExportedChange] = []
    try reader.array { reader in changes.append(try ExportedChange(&reader, of: nil, keepsValidTimes: true)) }
    return changes
  }

  /// Removals come after the first round, since a twin that does not exist yet has nothing to remove.
  private static func rounds(of name: String, _ changes: [ExportedChange]) -> [ExportedUpdate] {
    var updates: [ExportedUpdate] = []
    for attribute in inOrder(changes) {
      var round = 0
      for change in attribute {
        if change.isRemoval { round = max(round, 1) }
        if let index = updates.firstIndex(where: { $0.round == round && $0.author == change.author }) {
          updates[index].update.changes.append(change.change)
        } else {
          updates.append(ExportedUpdate(update: TwinUpdate(name, [change.change]), author: change.author, round: round))
        }
        round += 1
      }
    }
    if updates.isEmpty { return [ExportedUpdate(update: TwinUpdate(name, []), author: Author(), round: 0)] }
    return updates.enumerated().sorted { ($0.1.round, $0.0) < ($1.1.round, $1.0) }.map(\.1)
  }

  /// The facts of each attribute, in the order in which they were recorded.
  ///
  /// A removal that was recorded before a value can hide that value for some time. Written to a twin without a value it
  /// would remove nothing and be lost, so the values that follow it are also written before it.
  private static func inOrder(_ changes: [ExportedChange]) -> [[ExportedChange]] {
    var attributes: [[ExportedChange]] = []
    var places: [String: Int] = [:]
    for (_, change) in changes.enumerated().sorted(by: { ($0.1.sequence, $0.0) < ($1.1.sequence, $1.0) }) {
      let name = change.change.attribute
      if let place = places[name] {
        attributes[place].append(change)
      } else {
        places[name] = attributes.count
        attributes.append([change])
      }
    }
    return attributes.map { facts in
      guard let first = facts.firstIndex(where: \.isRemoval) else { return facts }
      return facts[first...].filter { !$0.isRemoval } + facts
    }
  }
}

/// An attribute or a fact in a line.
private struct ExportedChange {
  private(set) var change: Change
  private(set) var author = Author()
  /// The sequence of the commit that recorded it; 0: not stated.
  private(set) var sequence: UInt64 = 0

  var isRemoval: Bool { change.operation == .remove }

  /// - Parameter name: nil: it is one of the members.
  init(_ reader: inout JSONReader, of name: String?, keepsValidTimes: Bool) throws {
    change = .remove(name ?? "")
    if let name { try AttributeName.check(name) }
    do {
      try read(&reader, keepsValidTimes)
    } catch {
      throw TextFault("\(change.attribute.isEmpty ? "scheduled" : change.attribute): \(error)")
    }
    if name == nil { try AttributeName.check(change.attribute) }
  }

  private mutating func read(_ reader: inout JSONReader, _ keepsValidTimes: Bool) throws {
    var kind: ValueKind?
    var value: JSONReader?
    var text: String?
    var isRemoved = false
    try reader.object { (reader, member) in
      switch member {
      case "attribute" where change.attribute.isEmpty: change.attribute = try reader.string()
      case "kind": kind = try ValueKind(named: reader.string())
      case "value": value = try reader.skip()
      case "text": text = try Value.storable(reader.string())
      case "removed": isRemoved = try reader.bool()
      case "confidence": change.confidence = Double(try reader.number())
      case "evidence": change.evidence = try Value.storable(reader.string())
      case "valid_from" where keepsValidTimes: change.validFrom = try Self.time(&reader)
      case "valid_to" where keepsValidTimes: change.validTo = try Self.time(&reader)
      case "agent": author.agent = try Value.storable(reader.string())
      case "purpose": author.purpose = try Value.storable(reader.string())
      case "sequence": sequence = UInt64(try reader.number()) ?? 0
      default: _ = try reader.skip()
      }
    }
    if isRemoved { return }
    guard let kind else { throw TextFault("the kind is missing: use one of \(ValueKind.names)") }
    if let text, kind == .json {
      change.operation = .set(.json(text))
    } else if var value {
      change.operation = .set(try value.value(kind))
    } else {
      throw TextFault("the value is missing")
    }
  }

  private static func time(_ reader: inout JSONReader) throws -> Int64? {
    guard case .scalar(.timestamp(let micros)) = try reader.value(.timestamp) else { return nil }
    return micros
  }
}
