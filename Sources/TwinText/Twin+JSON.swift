// Twins as JSON objects of one line: what `--json` prints and an export holds, and reading an export back.
//
//   {"name":"acme/customer/42","revision":7,"attributes":{"email":{"kind":"string","value":"ada@example.com",
//    "valid_from":…,"recorded_at":…,"agent":"ada","sequence":7}}}
//
// valid_to, confidence, evidence and purpose stand only where they are stated, "increment" where one made the value.
// Instead of "value" a json value that does not fit on a line has "text", the JSON as a string.

import TwinClient

extension Twin {
  package var json: JSONObject {
    var object = JSONObject()
    object.add("name", name)
    object.add("revision", revision)
    object.add("attributes", attributes.json)
    return object
  }
}

extension [Attribute] {
  package var json: JSONObject {
    var object = JSONObject()
    for attribute in self { object.add(attribute.name, attribute.json) }
    return object
  }
}

extension Attribute {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add(value)
    if let increment { object.add("increment", increment) }
    object.add(validFrom: validFrom, validTo: validTo, recordedAt: recordedAt, agent: agent)
    object.add(confidence: confidence, evidence: evidence, purpose: purpose)
    object.add("sequence", sequence)
    return object
  }
}

extension [Redaction] {
  package var json: String {
    JSONObject.array(
      map { redaction in
        var object = JSONObject()
        if !redaction.twin.isEmpty { object.add("twin", redaction.twin) }
        object.add("attribute", redaction.attribute)
        object.add("reason", redaction.reason)
        return object.text
      })
  }
}

/// Reads the lines of an export.
package struct ExportLine {
  /// Take over from when to when values hold. Without it they hold from the import on.
  package let keepsValidTimes: Bool

  package init(keepsValidTimes: Bool) { self.keepsValidTimes = keepsValidTimes }

  /// What sets the twin's attributes to what the line says.
  package func update(_ line: [UInt8]) throws -> TwinUpdate {
    var reader = JSONReader(line)
    var name: String?
    var changes: [Change]?
    try reader.object { (reader, member) in
      switch member {
      case "name": name = try Value.storable(reader.string())
      case "attributes": changes = try attributes(&reader)
      default: _ = try reader.skip()
      }
    }
    try reader.finish()
    guard let name, let changes else {
      let missing = name == nil ? "name" : "attributes"
      throw TextFault("\(missing) is missing: flat objects need --space, --kind and --id-column")
    }
    return TwinUpdate(name, changes)
  }

  private func attributes(_ reader: inout JSONReader) throws -> [Change] {
    var changes: [Change] = []
    var seen: Set<String> = []
    try reader.object { (reader, name) in
      try AttributeName.check(name)
      guard seen.insert(name).inserted else { throw TextFault("the attribute \(name) appears twice") }
      do {
        changes.append(try change(name, &reader))
      } catch {
        throw TextFault("\(name): \(error)")
      }
    }
    return changes
  }

  private func change(_ name: String, _ reader: inout JSONReader) throws -> Change {
    var kind: ValueKind?
    var value: JSONReader?
    var text: String?
    var change = Change.remove(name)
    try reader.object { (reader, member) in
      switch member {
      case "kind":
        let word = try reader.string()
        kind = ValueKind(rawValue: word)
        if kind == nil { throw TextFault("\(word.excerpt()) is no kind: use one of \(ValueKind.names)") }
      case "value": value = try reader.skip()
      case "text": text = try Value.storable(reader.string())
      case "confidence": change.confidence = Double(try reader.number())
      case "evidence": change.evidence = try Value.storable(reader.string())
      case "valid_from" where keepsValidTimes: change.validFrom = try time(&reader)
      case "valid_to" where keepsValidTimes: change.validTo = try time(&reader)
      default: _ = try reader.skip()
      }
    }
    guard let kind else { throw TextFault("its kind is missing: use one of \(ValueKind.names)") }
    if let text, kind == .json {
      change.operation = .set(.json(text))
    } else if var value {
      change.operation = .set(try value.value(kind))
    } else {
      throw TextFault("its value is missing")
    }
    return change
  }

  private func time(_ reader: inout JSONReader) throws -> Int64? {
    guard case .scalar(.timestamp(let micros)) = try reader.value(.timestamp) else { return nil }
    return micros
  }
}
