// Twins as one-line JSON objects, for `--json` and exports. ExportLine reads them back.
//
//   {"name":"acme/customer/42","revision":7,"attributes":{"email":{"kind":"string","value":"ada@example.com",
//    "valid_from":…,"recorded_at":…,"agent":"ada","sequence":7}}}
//
// valid_to, confidence, evidence and purpose are included if they are set, and "increment" if the value comes from one.
// A json value with line breaks has "text", the JSON as a string, instead of "value".

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
