import TTRPC
import Testing
import TwinClient
import TwinStore

@Suite struct GetTwinTests {
  let fixture: ServiceFixture
  var twind: TwindClient { fixture.twind }

  init() throws {
    fixture = try ServiceFixture()
    try fixture.twind.update(
      "acme/customer/1",
      [
        .set("address.city", .string("Bern")), .set("address.zip", .int(3000)), .set("addressee", .string("Ada")),
        .set("tags", .list([.string("a"), .int(2), .bool(true)])),
      ])
  }

  @Test func wholeTwinInNameOrderWithProvenance() throws {
    let read = try fixture.client(agent: "sales").get("acme/customer/1")
    let twin = try #require(read.twin)
    #expect(twin.attributes.map(\.name) == ["address.city", "address.zip", "addressee", "tags"])
    #expect(twin["tags"] == .list([.string("a"), .int(2), .bool(true)]))
    #expect(twin.revision == 1 && read.sequence == 1)
    #expect(twin.attributes.allSatisfy { $0.sequence == 1 && $0.recordedAt > 0 && $0.validFrom == $0.recordedAt })
  }

  @Test func maskCoversWhatIsBelowIt() throws {
    var options = ReadOptions()
    options.attributes = ["address", "tags"]
    let twin = try twind.get("acme/customer/1", options).twin
    #expect(twin?.attributes.map(\.name) == ["address.city", "address.zip", "tags"])
  }

  @Test func notModifiedSinceItsRevision() throws {
    let unchanged = try twind.get("acme/customer/1", ifNewerThan: 1)
    #expect(unchanged.twin == nil && unchanged.sequence == 1)
    try twind.update("acme/customer/1", [.set("addressee", .string("Bob"))])
    #expect(try twind.get("acme/customer/1", ifNewerThan: 1).twin?.revision == 2)
  }

  @Test func aRevisionThatWasNeverIssuedIsOfAnotherStore() throws {
    #expect(try twind.get("acme/customer/1", ifNewerThan: 2).twin?.revision == 1)
  }

  @Test(arguments: [false, true]) func whatTimeHasChangedIsModified(isReadBack: Bool) throws {
    let clock = SteppedClock()
    var fixture = try ServiceFixture(clock: clock)
    let name = "acme/customer/2"
    let start = clock.wallMicros()
    var ends = Change.set("trial", .bool(true))
    ends.validTo = start + 10
    var begins = Change.set("plan", .string("pro"))
    begins.validFrom = start + 20
    let revision = try fixture.twind.update(name, [.set("plan", .string("basic")), ends]).sequence
    func news() throws -> [String]? {
      if isReadBack { fixture = try fixture.restarted(clock: clock) }
      return try fixture.twind.get(name, ifNewerThan: revision).twin?.attributes.map { "\($0.name)" }
    }
    #expect(try news() == nil)
    clock.advance(by: 10)
    #expect(try news() == ["plan"])
    // What was read does not tell whether the caller has read it since.
    #expect(try news() == ["plan"])
    try fixture.twind.update(name, [begins])
    let second = try #require(try fixture.twind.get(name).twin?.revision)
    #expect(try fixture.twind.get(name, ifNewerThan: second).twin == nil)
    clock.advance(by: 20)
    for _ in 0..<2 {
      if isReadBack { fixture = try fixture.restarted(clock: clock) }
      #expect(try fixture.twind.get(name, ifNewerThan: second).twin?["plan"] == .string("pro"))
    }
    let third = try fixture.twind.update(name, [.set("plan", .string("free"))]).sequence
    #expect(try fixture.twind.get(name, ifNewerThan: third).twin == nil)
  }

  @Test func absentDeletedAndMalformedNames() throws {
    #expect(code { _ = try twind.get("acme/customer/2") } == .notFound)
    try twind.delete("acme/customer/1")
    #expect(code { _ = try twind.get("acme/customer/1") } == .notFound)
    for name in ["", "acme", "acme/customer/", "Acme/customer/1", "acme/customer/a/b", "acme/customer/\u{7}"] {
      #expect(code { _ = try twind.get(name) } == .invalidArgument, "\(name)")
    }
  }

  @Test func purposeHasAGrammar() throws {
    var options = ReadOptions()
    options.purpose = "Not a purpose"
    let error = failure { _ = try twind.get("acme/customer/1", options) }
    #expect(error?.code == .invalidArgument && error?.message.contains("Not a purpose") == true)
  }

  @Test func minSequenceWaitsForTheCommit() async throws {
    var options = ReadOptions()
    options.minSequence = 2
    let waiting = options
    async let read = fixture.client().get("acme/customer/1", waiting)
    try await Task.sleep(for: .milliseconds(50))
    try await twind.update("acme/customer/1", [.set("addressee", .string("Cleo"))])
    #expect(try await read.twin?["addressee"] == .string("Cleo"))
  }

  @Test func minSequenceThatNeverComesIsOutOfRange() throws {
    var options = ReadOptions()
    options.minSequence = 99
    let error = failure { _ = try twind.get("acme/customer/1", options) }
    #expect(error?.code == .outOfRange)
    #expect(error?.details.first?.typeURL == "type.googleapis.com/twind.v1.ResumeDetail")
  }
}
