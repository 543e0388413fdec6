// A twin written as a line comes back the same.

import Testing
import TwinClient
import TwinText

@Suite struct ExportLineTests {
  private func attribute(_ kind: String, _ value: String) -> String {
    "{\"name\":\"a/b/c\",\"revision\":1,\"attributes\":{\"x\":{\"kind\":\"\(kind)\",\(value)}}}"
  }

  private func read(_ line: String) throws -> Value? {
    guard case .set(let value)? = try changes(line, keepsValidTimes: false).first?.operation else { return nil }
    return value
  }

  private func changes(_ line: String, keepsValidTimes: Bool) throws -> [Change] {
    try ExportLine(keepsValidTimes: keepsValidTimes).updates(Array(line.utf8)).flatMap(\.update.changes)
  }

  @Test(arguments: [
    Value.string(""), .string("é\"\\\n😀\u{1}"), .int(.min), .int(.max), .int(0), .double(0), .double(-0.0),
    .double(0.1),
    .double(1e300), .double(.leastNonzeroMagnitude), .double(.greatestFiniteMagnitude), .bool(true), .bool(false),
    .bytes([]),
    .bytes(Array(0...255)), .timestamp(0), .timestamp(-1), .timestamp(.min), .timestamp(.max), .list([]),
    .list([.string("a"), .int(1), .double(1), .bool(false), .bytes([1]), .timestamp(5), .timestamp(.max)]),
    .unknown([]), .unknown([0x4a, 0]), .list([.int(1), .unknown([0x38, 5])]),
    .json("{\"a\": [1, 2.50]}"), .json("null"), .json(" {\n\"a\":1}"), .json("\"\\ud800\""), .json("1e400"),
  ])
  func isExact(_ value: Value) throws {
    let member = value.json.map { "\"value\":\($0)" } ?? "\"text\":\(JSONObject.quoted(value.jsonText))"
    let line = attribute(value.kind.rawValue, member)
    #expect(!line.contains("\n"))
    let back = try #require(try read(line))
    #expect(back == value)
    // -0.0 == 0.0, but they are different values.
    if case .scalar(.double(let number)) = value, case .scalar(.double(let other)) = back {
      #expect(number.bitPattern == other.bitPattern)
    }
  }

  @Test func provenanceComesAlong() throws {
    let line = attribute(
      "int",
      "\"value\":1,\"confidence\":0.5,\"evidence\":\"e\",\"valid_from\":\"1970-01-01T00:00:01Z\",\"agent\":\"z\"")
    let plain = try changes(line, keepsValidTimes: false)[0]
    #expect(plain.confidence == 0.5 && plain.evidence == "e" && plain.validFrom == nil)
    let timed = try changes(line, keepsValidTimes: true)[0]
    #expect(timed.validFrom == 1_000_000)
    #expect(try ExportLine(keepsValidTimes: true).updates(Array(line.utf8)).map(\.author) == [Author(agent: "z")])
  }

  /// Facts of one attribute in the order of their recording, a removal never first, and each agent's together.
  @Test func whatIsScheduledComesInRounds() throws {
    let line = #"""
      {"name":"a/b/c","attributes":{"x":{"kind":"int","value":2,"sequence":7,"agent":"p"},
       "y":{"kind":"int","value":1,"sequence":9,"agent":"q"}},"scheduled":[
       {"sequence":3,"attribute":"x","kind":"int","value":1,"agent":"p"},
       {"sequence":8,"attribute":"x","removed":true,"valid_from":"2100-01-01","agent":"p"},
       {"sequence":2,"attribute":"z","removed":true,"agent":"p","purpose":"s"}]}
      """#
    let updates = try ExportLine(keepsValidTimes: true).updates(Array(line.utf8))
    #expect(updates.map { $0.update.changes.map(\.attribute).joined(separator: ",") } == ["x", "y", "z", "x", "x"])
    #expect(updates.map(\.round) == [0, 0, 1, 1, 2])
    #expect(updates.map(\.author.agent) == ["p", "q", "p", "p", "p"])
    #expect(updates.map(\.author.purpose) == [nil, nil, "s", nil, nil])
    #expect(
      updates[0].update.changes[0].operation == .set(.int(1)) && updates[4].update.changes[0].operation == .remove)
    let plain = try ExportLine(keepsValidTimes: false).updates(Array(line.utf8))
    #expect(plain.flatMap { $0.update.changes.map(\.operation) } == [.set(.int(2)), .set(.int(1))])
  }

  @Test func orderOfMembersDoesNotMatter() throws {
    #expect(try read("{\"attributes\":{\"x\":{\"value\":3,\"kind\":\"double\"}},\"name\":\"a/b/c\"}") == .double(3))
  }

  @Test(arguments: [
    ("{}", "name is missing"), ("{\"name\":\"a/b/c\"}", "attributes is missing"),
    ("{\"name\":\"a/b/c\",\"attributes\":{\"x\":{\"value\":1}}}", "x: the kind is missing"),
    ("{\"name\":\"a/b/c\",\"attributes\":{\"x\":{\"kind\":\"int\"}}}", "x: the value is missing"),
    ("{\"name\":\"a/b/c\",\"attributes\":{\"x\":{\"kind\":\"float\"}}}", "\"float\" is not a kind"),
    (
      "{\"name\":\"a/b/c\",\"attributes\":{\"X\":{\"kind\":\"int\",\"value\":1}}}",
      "\"X\" is not a valid attribute name"
    ),
    ("{\"name\":\"a/b/c\",\"attributes\":{\"x\":{\"kind\":\"int\",\"value\":1.5}}}", "is not an int"),
    ("{\"name\":\"a\\u0000\",\"attributes\":{}}", "NUL"),
  ])
  func refusals(_ line: String, _ reason: String) {
    #expect {
      try changes(line, keepsValidTimes: false)
    } throws: { error in
      "\(error)".contains(reason)
    }
  }
}
