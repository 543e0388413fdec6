// The members of a line of a history, with type checks.

import TwinClient

struct HistoryMembers {
  // Of the first line and the last.
  private(set) var history: UInt64?
  private(set) var isEnd = false
  private(set) var twins: UInt64?
  private(set) var facts: UInt64?
  // Of a fact.
  private(set) var name: String?
  private(set) var keptFrom: Int64?
  private(set) var sequence: UInt64?
  private var ordinal: UInt64?
  private var attribute: String?
  private var kind: ValueKind?
  private var value: JSONReader?
  private var text: String?
  private var increment: JSONReader?
  private var isRemoved = false
  private var isDeleted = false
  private var validFrom: Int64?
  private var validTo: Int64?
  private var recordedAt: Int64?
  private var agent: String?
  private var confidence: Double?
  private var evidence: String?
  private var purpose: String?

  init(_ line: [UInt8]) throws {
    var reader = JSONReader(line)
    var seen: Set<String> = []
    try reader.object { (reader, member) in
      guard seen.insert(member).inserted else { throw TextFault("\(member.excerpt()) appears twice") }
      try take(member, &reader)
    }
    try reader.finish()
  }

  private mutating func take(_ member: String, _ reader: inout JSONReader) throws {
    switch member {
    case "history": history = try Self.count(&reader)
    case "end": isEnd = try reader.bool()
    case "twins": twins = try Self.count(&reader)
    case "facts": facts = try Self.count(&reader)
    case "name": name = try Value.storable(reader.string())
    case "kept_from": keptFrom = try Self.time(&reader)
    case "sequence": sequence = try Self.count(&reader)
    case "ordinal": ordinal = try Self.count(&reader)
    case "attribute": attribute = try Value.storable(reader.string())
    case "kind": kind = try ValueKind(named: reader.string())
    case "value": value = try reader.skip()
    case "text": text = try Value.storable(reader.string())
    case "increment": increment = try reader.skip()
    case "removed": isRemoved = try reader.bool()
    case "deleted": isDeleted = try reader.bool()
    case "valid_from": validFrom = try Self.time(&reader)
    case "valid_to": validTo = try Self.time(&reader)
    case "recorded_at": recordedAt = try Self.time(&reader)
    case "agent": agent = try Value.storable(reader.string())
    case "confidence": confidence = Double(try reader.number())
    case "evidence": evidence = try Value.storable(reader.string())
    case "purpose": purpose = try Value.storable(reader.string())
    case "prefix", "crc32c": _ = try reader.string()
    default: throw TextFault("\(member.excerpt()) is unknown: a newer version may have written it")
    }
  }

  /// The fact that the line states.
  func fact() throws(TextFault) -> Fact {
    func missing(_ member: String) -> TextFault { TextFault("\(member) is missing") }
    guard let sequence else { throw missing("sequence") }
    guard let ordinal = ordinal.flatMap({ UInt32(exactly: $0) }) else { throw missing("ordinal") }
    guard let validFrom else { throw missing("valid_from") }
    guard let recordedAt else { throw missing("recorded_at") }
    guard let agent else { throw missing("agent") }
    if !isDeleted && attribute == nil { throw missing("attribute") }
    return Fact(
      attribute ?? "", try change(), validFrom: validFrom, validTo: validTo, recordedAt: recordedAt, agent: agent,
      confidence: confidence, evidence: evidence, purpose: purpose, sequence: sequence, ordinal: ordinal)
  }

  private func change() throws(TextFault) -> Fact.Change {
    let hasValue = value != nil || text != nil
    if isDeleted && !isRemoved && !hasValue && attribute == nil { return .deletion }
    if isRemoved && !isDeleted && !hasValue { return .removal }
    guard !isDeleted, !isRemoved, let kind, text == nil || (kind == .json && value == nil) else {
      throw TextFault("a fact must have exactly one of kind and value, \"removed\":true and \"deleted\":true")
    }
    do {
      let value = try text.map { text in Value.json(text) } ?? Self.value(value, kind)
      return try increment.map { .increment(value, by: try Self.value($0, kind)) } ?? .set(value)
    } catch {
      throw TextFault("\(attribute ?? ""): \(error)")
    }
  }

  private static func value(_ reader: JSONReader?, _ kind: ValueKind) throws -> Value {
    guard var reader else { throw TextFault("the value is missing") }
    return try reader.value(kind)
  }

  private static func count(_ reader: inout JSONReader) throws -> UInt64 {
    let number = try reader.number()
    guard let count = UInt64(number) else { throw TextFault("\(number) is not an unsigned 64-bit integer") }
    return count
  }

  private static func time(_ reader: inout JSONReader) throws -> Int64? {
    guard case .scalar(.timestamp(let micros)) = try reader.value(.timestamp) else { return nil }
    return micros
  }
}
