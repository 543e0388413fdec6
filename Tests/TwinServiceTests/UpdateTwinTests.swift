import CTwindProto
import TTRPC
import Testing
import TwinClient
import TwinRoutes

@Suite struct UpdateTwinTests {
  let fixture: ServiceFixture
  var twind: TwindClient { fixture.twind }

  init() throws { fixture = try ServiceFixture() }

  @Test func everyReplyNamesSequenceRevisionAndDurability() throws {
    let first = try twind.update("acme/customer/1", [.set("a", .int(1)), .set("b", .int(2))])
    #expect(first.sequence == 1 && first.revisions == [1] && first.durability == .journaled && first.factCount == 2)
    let same = try twind.update("acme/customer/1", [.set("a", .int(1))])
    #expect(same.sequence == 1 && same.revisions == [1] && same.factCount == 0)
  }

  @Test func agentComesFromMetadataThenConfigurationThenTheSystem() throws {
    try fixture.client(agent: "sales-bot").update("acme/customer/1", [.set("a", .int(1))])
    try fixture.client(uid: 1234).update("acme/customer/1", [.set("b", .int(1))])
    try fixture.client(uid: 0).update("acme/customer/1", [.set("c", .int(1))])
    let agents = try twind.get("acme/customer/1").twin?.attributes.map(\.agent)
    #expect(agents == ["sales-bot", "billing", "root"])
  }

  @Test func staleRevisionIsAbortedWithTheConflict() throws {
    try fixture.client(agent: "first").update("acme/customer/1", [.set("a", .int(1))])
    let error = failure {
      try twind.update("acme/customer/1", [.set("a", .int(2))], precondition: .revision(7))
    }
    #expect(error?.code == .aborted)
    let detail = try #require(error?.details.first)
    #expect(detail.typeURL == "type.googleapis.com/twind.v1.ConflictDetail")
    let arena = Arena()
    try detail.value.withUnsafeBytes { bytes in
      let conflict = try arena.unpack(Twind__V1__ConflictDetail.self, bytes).pointee
      #expect(conflict.current_revision == 1 && String(cString: conflict.last_agent) == "first")
    }
  }

  @Test func mustNotExist() throws {
    try twind.update("acme/customer/1", [.set("a", .int(1))], precondition: .mustNotExist)
    #expect(
      code { try twind.update("acme/customer/1", [.set("a", .int(2))], precondition: .mustNotExist) }
        == .alreadyExists)
  }

  @Test func aRepeatedKeyReturnsTheFirstResult() throws {
    var options = WriteOptions()
    options.idempotencyKey = "order-1"
    let first = try twind.update("acme/customer/1", [.increment("orders", by: .int(1))], options)
    let again = try twind.update("acme/customer/1", [.increment("orders", by: .int(1))], options)
    #expect(first == again)
    #expect(try twind.get("acme/customer/1").twin?["orders"] == .int(1))
    #expect(
      code { try twind.update("acme/customer/1", [.increment("orders", by: .int(2))], options) } == .invalidArgument)
  }

  /// The wire would have taken each for something that is not stated.
  @Test func whatIsEmptyIsRefused() throws {
    var unsure = Change.set("a", .int(1))
    unsure.confidence = 0
    var baseless = Change.set("b", .int(1))
    baseless.evidence = ""
    var options = WriteOptions()
    options.idempotencyKey = ""
    let writes: [(String, () throws -> Void)] = [
      ("the confidence of a is 0", { [twind] in try twind.update("acme/customer/1", [unsure]) }),
      ("the evidence of b is empty", { [twind] in try twind.update("acme/customer/1", [baseless]) }),
      ("idempotency key is empty", { [twind] in try twind.update("acme/customer/1", [.set("a", .int(1))], options) }),
      ("idempotency key is empty", { [twind] in try twind.update(many: [], options) }),
      ("idempotency key is empty", { [twind] in try twind.delete("acme/customer/1", options) }),
    ]
    for (reason, write) in writes {
      let error = failure(write)
      #expect(
        error?.code == .invalidArgument && error?.message.contains(reason) == true, "\(String(describing: error))")
    }
    #expect(code { _ = try twind.get("acme/customer/1") } == .notFound)
  }

  @Test func aKeyInTheDatabaseIsAnsweredInOrder() throws {
    var options = WriteOptions()
    options.idempotencyKey = "order-1"
    let first = try twind.update("acme/customer/1", [.increment("orders", by: .int(1))], options)
    _ = try fixture.store.checkpoint()
    #expect(try twind.update("acme/customer/1", [.increment("orders", by: .int(1))], options) == first)
    #expect(
      code { try twind.update("acme/customer/1", [.increment("orders", by: .int(2))], options) } == .invalidArgument)
    #expect(try twind.get("acme/customer/1").twin?["orders"] == .int(1))
  }

  @Test func anAgentWithAllItsKeysIsToldTheLimit() throws {
    let fixture = try ServiceFixture(options: .small(keysPerAgentMax: 2))
    func write(_ key: String, agent: String) throws {
      var options = WriteOptions()
      options.idempotencyKey = key
      try fixture.client(agent: agent).update("acme/customer/1", [.increment("orders", by: .int(1))], options)
    }
    for key in ["1", "2", "1"] { try write(key, agent: "a") }
    let error = failure { try write("3", agent: "a") }
    #expect(error?.code == .resourceExhausted)
    let detail = try #require(error?.details.first)
    let arena = Arena()
    try detail.value.withUnsafeBytes { bytes in
      let limit = try arena.unpack(Twind__V1__LimitDetail.self, bytes).pointee
      #expect(String(cString: limit.limit) == "idempotencyKeysPerAgentMax" && limit.maximum == 2)
    }
    try write("3", agent: "b")
    // What the message advises.
    try fixture.client(agent: "a").update("acme/customer/1", [.increment("orders", by: .int(1))])
    #expect(try fixture.twind.get("acme/customer/1").twin?["orders"] == .int(4))
  }

  @Test(arguments: [Durability.memory, .journaled, .synced])
  func theReplyNamesTheDurability(_ durability: Durability) throws {
    var options = WriteOptions()
    options.durability = durability
    let result = try twind.update("acme/customer/1", [.set("a", .int(1))], options)
    #expect(result.durability == durability)
    if durability == .synced { #expect(fixture.store.stats.syncedSequence >= result.sequence) }
  }

  @Test func aNULIsRefusedAndCutsNothingShort() throws {
    #expect(code { try twind.update("acme/customer/a\0b", [.set("a", .int(1))]) } == .invalidArgument)
    #expect(code { try twind.update("acme/customer/a", [.set("a", .string("x\0y"))]) } == .invalidArgument)
    #expect(code { _ = try twind.get("acme/customer/a") } == .notFound)
  }

  @Test func theSameAgainWithTheSameConfidenceIsNoFact() throws {
    var change = Change.set("mood", .string("calm"))
    change.confidence = 0.5
    change.evidence = "ticket:1"
    #expect(try twind.update("acme/customer/1", [change]).factCount == 1)
    #expect(try twind.update("acme/customer/1", [change]).factCount == 0)
    change.confidence = 0.6
    #expect(try twind.update("acme/customer/1", [change]).factCount == 1)
  }

  @Test(arguments: [65, 1000, 16_000]) func aListOfSmallNumbersIsNoFlood(count: Int) throws {
    let list = Value.list((0..<count).map { .int(Int64($0 % 100)) })
    try twind.update("acme/customer/1", [.set("numbers", list)])
    #expect(try twind.get("acme/customer/1").twin?["numbers"] == list)
  }

  @Test func bothSpellingsOfALetterAreTwoTwins() throws {
    try twind.update("acme/customer/caf\u{e9}", [.set("a", .int(1))])
    try twind.update("acme/customer/cafe\u{301}", [.set("a", .int(2))])
    #expect(try twind.get("acme/customer/caf\u{e9}").twin?["a"] == .int(1))
    #expect(try twind.get("acme/customer/cafe\u{301}").twin?["a"] == .int(2))
    #expect(try twind.list(prefix: "acme/").twins.count == 2)
  }

  @Test func aBatchIsAllOrNothing() throws {
    try twind.update("acme/customer/1", [.set("a", .int(1))])
    let updates = [
      TwinUpdate("acme/customer/2", [.set("a", .int(2))]),
      TwinUpdate("acme/customer/1", [.set("a", .int(2))], precondition: .revision(9)),
    ]
    #expect(code { try twind.update(many: updates) } == .aborted)
    #expect(code { _ = try twind.get("acme/customer/2") } == .notFound)
    let result = try twind.update(many: [updates[0], TwinUpdate("acme/customer/1", [.set("a", .int(2))])])
    #expect(result.sequence == 2 && result.revisions == [2, 2] && result.factCount == 2)
  }

  @Test func aDeletedTwinKeepsItsRevision() throws {
    try twind.update("acme/customer/1", [.set("a", .int(1))])
    #expect(try twind.delete("acme/customer/1").revisions == [2])
    #expect(code { try twind.delete("acme/customer/1") } == .notFound)
    let result = try twind.update("acme/customer/1", [.set("a", .int(1))], precondition: .revision(2))
    #expect(result.revisions == [3])
    #expect(code { try twind.delete("acme/customer/1", expectedRevision: 2) } == .aborted)
  }
}
