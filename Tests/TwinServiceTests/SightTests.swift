// What is hidden from a reader is in no byte of any reply, of any method.

import TTRPC
import Testing
import TwinClient
import TwinCore
import TwinRoutes
import TwinStore

/// Methods that anyone may call. Operators see everything.
private let routes =
  (TwinServiceRoutes.all + SessionServiceRoutes.all + AdminServiceRoutes.all).filter { $0.caller == .anyone }

/// Of writing methods replies differ from call to call.
private let writing: Set = ["UpdateTwin", "BatchUpdateTwins", "DeleteTwin"]

/// Replies without attributes.
private let plain: Set = ["OpenSession"]

private let secret = "SECRET"
/// Near the end of its range, so that an increment overflows: an error must not show it.
private let secretNumber = Int64.max - 7_000_003
/// It wrote nothing that is shown.
private let secretAgent = "surgeon"

@Suite struct SightTests {
  private static func name(_ number: Int) -> String { "acme/customer/\(number)" }

  /// What may stand in a request about a twin, by field name.
  private static func vocabulary(_ number: Int, moment: Int64) -> [String: [RequestVariants.Value]] {
    let moment = UInt64(bitPattern: moment)
    return [
      "name": [.text(name(number))],
      "names": [.texts([name(number)]), .texts([name(number), "acme/account/1", "acme/customer/none"])],
      "WatchTwinsRequest.names": [.texts([name(number)]), .none],
      "prefix": [.text("acme/"), .text(name(number))],
      "WatchTwinsRequest.prefix": [.none],
      "attributes": [.none, .texts(["health"]), .texts(["city", "health.note"])],
      "purpose": [.none, .text("support")],
      "if_newer_than_revision": [.none, .number(1)],
      "min_sequence": [.none, .number(1)],
      "from_sequence": [.none, .number(0)],
      "valid_at": [.none, .number(moment)],
      "known_at": [.none, .number(moment)],
      "recorded_from_time": [.none, .number(1)], "recorded_to_time": [.none, .number(moment)],
      "valid_from_time": [.none, .number(1)], "valid_to_time": [.none],
      "ListFactsRequest.valid_to_time": [.none, .number(moment)],
      "page_size": [.none, .number(1)], "page_token": [.none],
      "names_only": [.none, .number(1)], "with_scheduled": [.none, .number(1)], "coalesce": [.none, .number(1)],
      "expected_revision": [.number(999), .none], "must_not_exist": [.none, .number(1)],
      "idempotency_key": [.none, .text("key-\(number)")], "durability": [.none],
      "changes": [
        .message([:]), .message(["attribute": .text("health.count")]),
        .message(["attribute": .text("health.note")]),
      ],
      "agent": [.none, .text("nosy")], "token": [.none], "default_purpose": [.none, .text("support")],
      "contracts": [.none],
      "requests": [.message([:])],
      "attribute": [.text("city")], "set": [.none],
      "increment": [.message([:])], "remove": [.none],
      "int_value": [.number(UInt64(Int64.max))],
      "string_value": [.none], "double_value": [.none], "bool_value": [.none], "bytes_value": [.none],
      "timestamp_value": [.none], "json_value": [.none], "list_value": [.none],
      "confidence": [.none], "evidence": [.none], "kind": [.none],
    ]
  }

  /// A twin with an attribute to see and others to hide: set, changed, removed, of the past and the future.
  private func make(_ number: Int, _ fixture: ServiceFixture, _ clock: SteppedClock) throws {
    let (owner, surgeon) = (fixture.client(agent: "owner"), fixture.client(agent: secretAgent))
    let name = Self.name(number)
    try owner.update(name, [.set("city", .string("Bern")), .set("healthy", .bool(true))])
    clock.advance(by: 1_000)
    try surgeon.update(
      name, [.set("health.note", .string(secret + " first")), .set("health.count", .int(secretNumber))])
    var scheduled = Change.set("health.plan", .string(secret + " plan"))
    scheduled.validFrom = clock.wallMicros() + 3_600_000_000
    var past = Change.set("health.past", .string(secret + " past"))
    past.validFrom = clock.wallMicros() - 500
    past.validTo = clock.wallMicros() - 100
    try surgeon.update(name, [scheduled, past, .set("health.note", .string(secret + " second"))])
    clock.advance(by: 1_000)
    try surgeon.update(name, [.set("health.gone", .string(secret + " gone"))])
    try surgeon.update(name, [.remove("health.gone")])
    try owner.update(name, [.set("city", .string("Basel"))])
    // So that the last agent is one to hide.
    try surgeon.update(name, [.set("health.last", .string(secret + " last"))])
    clock.advance(by: 1_000)
  }

  private static func denial(
    agent: String? = "nosy", purpose: String? = nil, _ attribute: String = "health",
    concerns: @escaping @Sendable (TwinImage) -> Bool = { _ in true }
  ) -> Denial {
    Denial(
      kind: Array("customer".utf8), attributes: AttributeMask(names: [Array(attribute.utf8)]),
      agent: agent.map { Array($0.utf8) }, purpose: purpose.map { Array($0.utf8) }, concerns: concerns)
  }

  private struct Answer {
    var replies: [[UInt8]] = []
    var error: RPCError?

    /// Everything that the caller gets.
    var bytes: [UInt8] {
      replies.flatMap(\.self) + (error.map { Array($0.message.utf8) + $0.details.flatMap(\.value) } ?? [])
    }
  }

  private func answer(_ route: AnyRoute, _ request: [UInt8], _ client: Client) -> Answer {
    var answer = Answer()
    do {
      // A watch ends by its deadline.
      let timeout: Duration = route.method == "WatchTwins" ? .milliseconds(150) : .seconds(60)
      try client.call(route, encoded: request, timeout: timeout) { answer.replies.append($0) }
    } catch let error as RPCError {
      answer.error = error
    } catch {
      Issue.record("\(error)")
    }
    return answer
  }

  private func holdsSecret(_ bytes: [UInt8]) -> Bool {
    let number = [UInt8](encodingVarint: UInt64(secretNumber))
    return [Array(secret.utf8), Array("\(secretNumber)".utf8), number, Array(secretAgent.utf8)].contains {
      bytes.firstRange(of: $0) != nil
    }
  }

  /// - Parameter isCold: no twin is in memory when the calls begin, and no commit either.
  @Test(arguments: routes.indices, [false, true])
  func nothingHiddenIsInAnyReply(route index: Int, isCold: Bool) throws {
    let route = routes[index]
    let clock = SteppedClock()
    var fixture = try ServiceFixture(clock: clock)
    let start = clock.wallMicros()
    let count = try RequestVariants(vocabulary: Self.vocabulary(1, moment: 1)).requests(route.request.pointer).count
    for number in 1...count { try make(number, fixture, clock) }
    try fixture.twind.update("acme/account/1", [.set("health.note", .string("for everyone"))])
    let requests = try (1...count).map { number in
      let moment = start + Int64(number) * 3_000 - 500
      return try RequestVariants(vocabulary: Self.vocabulary(number, moment: moment))
        .requests(route.request.pointer)[number - 1]
    }
    let before = requests.map { request in
      writing.contains(route.method) ? Answer() : answer(route, request, fixture.rawClient(agent: "nosy"))
    }
    if isCold { fixture = try fixture.restarted(clock: clock) }
    fixture.store.put([Self.denial()])
    var hasSeenSecrets = false
    for (number, (request, before)) in zip(requests, before).enumerated() {
      let nosy = answer(route, request, fixture.rawClient(agent: "nosy"))
      #expect(!holdsSecret(nosy.bytes), "\(route.method), request \(number): \(nosy)")
      if writing.contains(route.method) || plain.contains(route.method) { continue }
      hasSeenSecrets = hasSeenSecrets || holdsSecret(before.bytes)
      compare(before, nosy, route, "\(route.method), request \(number)")
      // Nothing changes for others.
      let other = answer(route, request, fixture.rawClient(agent: "other"))
      #expect(tree(other, route) == tree(before, route), "\(route.method), request \(number)")
    }
    let showsAttributes = !writing.contains(route.method) && !plain.contains(route.method)
    #expect(hasSeenSecrets == showsAttributes, "\(route.method): without rules, the same requests show secrets")
  }

  /// The replies of a call in one; not how they were cut into parts, nor how far a stream came.
  private func tree(_ answer: Answer, _ route: AnyRoute) -> MessageTree {
    MessageTree(answer.replies.flatMap(\.self), as: route.response.pointer).without {
      ["sequence", "next_page_token", "snapshot_complete"].contains($0.name)
    }
  }

  /// Nothing is missing but what is hidden, and redactions name that.
  private func compare(_ before: Answer, _ after: Answer, _ route: AnyRoute, _ comment: Comment) {
    #expect(before.error?.code == after.error?.code, comment)
    var hidden: Set<String> = []
    let shown = tree(before, route).without { field in
      guard let attribute = Self.attribute(field), attribute.hasPrefix("health.") else { return false }
      hidden.insert(attribute)
      return true
    }.without { field in
      // A change of hidden attributes only, which is not sent.
      guard field.name == "changes", case .message(let change) = field.content else { return false }
      return change.fields.allSatisfy { ["name", "revision"].contains($0.name) }
    }
    var redacted: Set<String> = []
    let after = tree(after, route).without { field in
      guard field.name == "redactions", case .message(let redaction) = field.content else { return false }
      redacted.insert(redaction.text("attribute") ?? "")
      return true
    }
    #expect(after == shown, comment)
    #expect(redacted == hidden, comment)
  }

  /// The attribute that a record is about; of the kind with rules only.
  private static func attribute(_ field: MessageTree.Field) -> String? {
    switch field.content {
    case .message(let message) where message.type == "twind.v1.Attribute":
      return message.text("name").flatMap { $0 == "health.note" && isForEveryone(message) ? nil : $0 }
    case .message(let message) where message.type == "twind.v1.Fact":
      for field in message.fields where field.name == "attribute" { return attribute(field) }
      return nil
    case .bytes(let bytes) where field.name == "removed": return String(decoding: bytes, as: UTF8.self)
    default: return nil
    }
  }

  private static func isForEveryone(_ attribute: MessageTree) -> Bool { attribute.description.contains("for everyone") }

  // MARK: Who, for what, of which twins

  @Test func aPurposeAnAgentAndAConditionOfTheTwinDecide() throws {
    let fixture = try ServiceFixture()
    for number in 1...2 {
      try fixture.twind.update(Self.name(number), [.set("a.b", .int(1)), .set("a.c", .int(2)), .set("d", .int(3))])
    }
    let first = Array(Self.name(1).utf8)
    fixture.store.put([
      Self.denial(agent: nil, purpose: "ads", "a.b"),
      Self.denial(agent: "nosy", "a"),
      Self.denial(agent: "picky", "d") { $0.name.array == first },
    ])
    func seen(_ agent: String, _ purpose: String = "", _ number: Int = 1) throws -> String {
      var options = ReadOptions()
      options.purpose = purpose
      let twin = try fixture.client(agent: agent).get(Self.name(number), options).twin
      return (twin?.attributes ?? []).map(\.name).joined(separator: " ")
    }
    #expect(try seen("any") == "a.b a.c d")
    // The attribute is in two classes, and one of them is hidden.
    #expect(try seen("any", "ads") == "a.c d")
    #expect(try seen("nosy") == "d")
    #expect(try seen("nosy", "ads") == "d")
    #expect(try seen("picky") == "a.b a.c")
    #expect(try seen("picky", "", 2) == "a.b a.c d")
    fixture.store.put([])
    #expect(try seen("nosy", "ads") == "a.b a.c d")
  }

  /// The condition follows the twin.
  @Test func aTwinThatChangesIsJudgedAnew() throws {
    let fixture = try ServiceFixture()
    let denial = Self.denial(agent: nil, "a") { twin in
      Array("minor".utf8).withUnsafeBytes { twin.find($0) } != nil
    }
    fixture.store.put([denial])
    func seen() throws -> [String] { try fixture.twind.get(Self.name(1)).twin?.attributes.map(\.name) ?? [] }
    try fixture.twind.update(Self.name(1), [.set("a", .int(1))])
    #expect(try seen() == ["a"])
    try fixture.twind.update(Self.name(1), [.set("minor", .bool(true))])
    #expect(try seen() == ["minor"])
    try fixture.twind.update(Self.name(1), [.set("a", .int(2)), .remove("minor")])
    #expect(try seen() == ["a"])
  }
}

extension [UInt8] {
  fileprivate init(encodingVarint number: UInt64) {
    self = []
    var rest = number
    while rest >= 0x80 {
      append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }
}
