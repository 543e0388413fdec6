// Prints the events of a watch, one per line.

import TwinClient
import TwinText

struct WatchPrinter {
  let json: Bool

  /// - Parameter position: in a snapshot, skip twins whose revision is not above it.
  func print(_ event: WatchEvent, above position: UInt64) throws(Failure) {
    for twin in event.snapshot where twin.revision > position { try print(twin) }
    for change in event.changes { try print(change, event.sequence) }
    for redaction in event.redactions where !json {
      Terminal.warn("\(redaction.twin) \(redaction.attribute) is withheld: \(redaction.reason)")
    }
    if json && event.changes.isEmpty && event.sequence > 0 {
      var object = JSONObject()
      object.add("sequence", event.sequence)
      if !event.redactions.isEmpty { object.add("redactions", json: event.redactions.json) }
      try Terminal.print(object.text)
    }
  }

  private func print(_ twin: Twin) throws(Failure) {
    guard json else {
      // A removal that holds for good shows by the attribute's absence.
      let scheduled = twin.scheduled.filter { $0.value != nil || $0.validTo != nil || $0.validFrom > $0.recordedAt }
      return try Terminal.print(
        line(twin.revision, twin.name, twin.attributes.map(Self.text) + scheduled.map(Self.text)))
    }
    var object = JSONObject()
    object.add("snapshot", true)
    object.add("name", twin.name)
    object.add("revision", twin.revision)
    object.add("attributes", twin.attributes.json)
    object.add("scheduled", twin.scheduled)
    try Terminal.print(object.text)
  }

  private func print(_ change: WatchEvent.Change, _ sequence: UInt64) throws(Failure) {
    guard json else {
      let existence =
        change.isDeleted ? [Terminal.red("deleted")] : change.isCreated ? [Terminal.dim("created")] : []
      let removed = change.removed.map { Terminal.red("-\($0)") }
      let other = change.otherFacts.map(Self.text)
      return try Terminal.print(
        line(change.revision, change.name, existence + change.attributes.map(Self.text) + removed + other + by(change)))
    }
    var object = JSONObject()
    if sequence > 0 { object.add("sequence", sequence) }
    object.add("name", change.name)
    object.add("revision", change.revision)
    if !change.attributes.isEmpty { object.add("attributes", change.attributes.json) }
    if !change.removed.isEmpty { object.add("removed", json: JSONObject.array(change.removed.map(JSONObject.quoted))) }
    object.add("ended", change.ended)
    if change.isCreated { object.add("created", true) }
    if change.isDeleted { object.add("deleted", true) }
    object.add("other_facts", change.otherFacts)
    try Terminal.print(object.text)
  }

  private func line(_ revision: UInt64, _ name: String, _ parts: [String]) -> String {
    ([Terminal.dim("\(revision)"), Terminal.bold(DisplayText.line(name))] + parts).joined(separator: "  ")
  }

  private static func text(_ attribute: Attribute) -> String { "\(attribute.name)=\(attribute.value.compact())" }

  /// A fact that does not hold now: `(plan=basic as of 2026-01-01T00:00:00+00:00)`.
  private static func text(_ fact: Fact) -> String {
    let what = fact.value.map { "\(fact.attribute)=\($0.compact())" } ?? "-\(fact.attribute)"
    return Terminal.dim("(\(what) \(fact.validity))")
  }

  /// The agent and time of a change, if it has them.
  private func by(_ change: WatchEvent.Change) -> [String] {
    let recorded =
      change.attributes.map { ($0.sequence, $0.agent, $0.recordedAt) }
      + (change.ended + change.otherFacts).map { ($0.sequence, $0.agent, $0.recordedAt) }
    guard let (_, agent, time) = recorded.max(by: { $0.0 < $1.0 }) else { return [] }
    return [Terminal.dim("by \(DisplayText.line(agent)) at \(TimestampText.local(time))")]
  }
}

extension JSONObject {
  /// Facts in the form of `twinctl history --json`; no member if there are none.
  fileprivate mutating func add(_ name: String, _ facts: [Fact]) {
    if !facts.isEmpty { add(name, json: JSONObject.array(facts.map(\.json.text))) }
  }
}
