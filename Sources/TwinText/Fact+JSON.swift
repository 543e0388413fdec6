// Facts as one-line JSON objects: the output of `twinctl history --json`, and the facts of watches.
//
//   {"sequence":7,"ordinal":0,"attribute":"visits","kind":"int","value":3,"increment":1,"valid_from":…,"recorded_at":…,
//    "agent":"ada"}
//
// Instead of a value there can be "removed":true, or, without an attribute, "deleted":true. The other members are those
// of a twin's attributes.

import TwinClient

extension Fact {
  package var json: JSONObject {
    var object = JSONObject()
    object.add("sequence", sequence)
    if let ordinal { object.add("ordinal", ordinal) }
    if change != .deletion { object.add("attribute", attribute) }
    switch change {
    case .set(let value): object.add(value)
    case .increment(let value, by: let delta):
      object.add(value)
      object.add("increment", delta)
    case .removal: object.add("removed", true)
    case .deletion: object.add("deleted", true)
    }
    object.add(validFrom: validFrom, validTo: validTo, recordedAt: recordedAt, agent: agent)
    object.add(confidence: confidence, evidence: evidence, purpose: purpose)
    return object
  }
}

extension JSONObject {
  /// A value with its kind.
  mutating func add(_ value: Value) {
    add("kind", value.kind.rawValue)
    add("value", value, orText: "text")
  }

  /// A value of a kind that the reader knows.
  mutating func add(_ name: String, _ value: Value) { add(name, value, orText: name) }

  /// - Parameter textName: of a JSON text that does not fit on a line.
  private mutating func add(_ name: String, _ value: Value, orText textName: String) {
    if let json = value.json { add(name, json: json) } else { add(textName, value.jsonText) }
  }

  mutating func add(validFrom: Int64, validTo: Int64?, recordedAt: Int64, agent: String) {
    add("valid_from", time: validFrom)
    if let validTo { add("valid_to", time: validTo) }
    add("recorded_at", time: recordedAt)
    add("agent", agent)
  }

  /// What an agent may leave out.
  mutating func add(confidence: Double?, evidence: String?, purpose: String?) {
    if let confidence { add("confidence", confidence) }
    if let evidence { add("evidence", evidence) }
    if let purpose { add("purpose", purpose) }
  }
}
