import TTRPC
import Testing
import TwinClient
import TwinStore

private let name = "acme/customer/1"

/// ListFacts, and what TwinClient makes of it.
@Suite struct ListFactsTests {
  let clock = SteppedClock()
  let fixture: ServiceFixture
  var twind: TwindClient { fixture.twind }
  let start: Int64

  init() throws {
    fixture = try ServiceFixture(clock: clock)
    start = clock.wallMicros()
  }

  private func facts(_ options: FactOptions = FactOptions()) throws -> [Fact] {
    try twind.facts(of: name, options).all().facts
  }

  /// Sets `n` to 0, 1, 2 … each a second after the one before.
  private func commit(_ count: Int) throws {
    for number in 0..<count {
      try twind.update(name, [.set("n", .int(Int64(number)))])
      clock.advance(by: 1_000_000)
    }
  }

  @Test func everyKindOfFactInItsOrder() throws {
    var sure = Change.set("plan", .string("pro"))
    sure.confidence = 0.5
    sure.evidence = "ticket:1"
    sure.validFrom = start - 5
    sure.validTo = start + 500
    var options = WriteOptions()
    options.purpose = "support"
    let sales = fixture.client(agent: "sales")
    try sales.update(name, [sure, .set("score", .double(1)), .increment("visits", by: .int(2))], options)
    clock.advance(by: 10)
    try sales.update(
      name, [.remove("plan"), .increment("score", by: .double(0.5)), .increment("visits", by: .int(-3))])
    clock.advance(by: 10)
    try sales.delete(name)
    func fact(_ attribute: String, _ change: Fact.Change, _ sequence: UInt64, _ ordinal: UInt32) -> Fact {
      let time = start + Int64(sequence - 1) * 10
      return Fact(
        attribute, change, validFrom: time, recordedAt: time, agent: "sales", purpose: sequence == 1 ? "support" : nil,
        sequence: sequence, ordinal: ordinal)
    }
    let list = try twind.facts(of: name).all()
    #expect(list.sequence == 3 && list.redactions.isEmpty)
    #expect(
      list.facts == [
        Fact(
          "plan", .set(.string("pro")), validFrom: start - 5, validTo: start + 500, recordedAt: start, agent: "sales",
          confidence: 0.5, evidence: "ticket:1", purpose: "support", sequence: 1, ordinal: 0),
        fact("score", .set(.double(1)), 1, 1), fact("visits", .increment(.int(2), by: .int(2)), 1, 2),
        fact("plan", .removal, 2, 0), fact("score", .increment(.double(1.5), by: .double(0.5)), 2, 1),
        fact("visits", .increment(.int(-1), by: .int(-3)), 2, 2), fact("", .deletion, 3, 0),
      ])
  }

  @Test func currentValuesShowWhatAnIncrementAdded() throws {
    try twind.update(name, [.increment("visits", by: .int(2)), .set("plan", .string("pro"))])
    let twin = try #require(try twind.get(name).twin)
    #expect(twin.attributes.map(\.increment) == [nil, .int(2)])
  }

  @Test func recordedTimesAreHalfOpen() throws {
    try commit(10)
    var options = FactOptions()
    options.recordedFrom = start + 3_000_000
    #expect(try facts(options).map(\.value) == (3...9).map { .int($0) })
    options.recordedTo = start + 5_000_000
    #expect(try facts(options).map(\.value) == [.int(3), .int(4)])
    options.recordedTo = start + 5_000_001
    #expect(try facts(options).map(\.value) == [.int(3), .int(4), .int(5)])
    options.recordedFrom = start + 60_000_000
    options.recordedTo = nil
    #expect(try facts(options).isEmpty)
  }

  @Test func validTimesMeetWhatHoldsInPartOfThem() throws {
    for (number, (from, to)) in ([(10, 20), (20, 30), (30, nil)] as [(Int64, Int64?)]).enumerated() {
      var change = Change.set("n", .int(Int64(number)))
      change.validFrom = start + from
      change.validTo = to.map { start + $0 }
      try twind.update(name, [change])
    }
    var options = FactOptions()
    let cases: [(Int64?, Int64?, [Int64])] = [
      (nil, 10, []), (nil, 11, [0]), (19, nil, [0, 1, 2]), (20, nil, [1, 2]), (20, 21, [1]), (29, 31, [1, 2]),
      (40, nil, [2]), (12, 13, [0]),
    ]
    for (from, to, numbers) in cases {
      options.validFrom = from.map { start + $0 }
      options.validTo = to.map { start + $0 }
      #expect(try facts(options).map(\.value) == numbers.map { .int($0) }, "\(from ?? -1) to \(to ?? -1)")
    }
  }

  @Test func anEmptyIntervalIsInvalid() throws {
    try commit(1)
    var options = FactOptions()
    options.recordedFrom = start + 1
    options.recordedTo = start + 1
    #expect(failure { _ = try facts(options) }?.message.contains("recorded_from_time") == true)
    options.recordedTo = nil
    options.validFrom = start + 2
    options.validTo = start + 1
    let error = failure { _ = try facts(options) }
    #expect(error?.code == .invalidArgument && error?.message.contains("valid_from_time") == true)
    options.validFrom = 0
    #expect(failure { _ = try facts(options) }?.message.contains("validFrom") == true)
  }

  @Test func attributesAndAllThatIsBelowThem() throws {
    try twind.update(name, [.set("address.city", .int(1)), .set("addressee", .int(2)), .set("plan", .int(3))])
    try twind.delete(name)
    var options = FactOptions()
    options.attributes = ["address"]
    #expect(try facts(options).map(\.attribute) == ["address.city", ""])
    options.attributes = ["none"]
    #expect(try facts(options).map(\.change) == [.deletion])
    options.attributes = ["Not a name"]
    #expect(code { _ = try facts(options) } == .invalidArgument)
  }

  @Test func deletedAndMadeAnew() throws {
    try commit(2)
    try twind.delete(name)
    try commit(1)
    #expect(try facts().map(\.change) == [.set(.int(0)), .set(.int(1)), .deletion, .set(.int(0))])
    #expect(try facts().map(\.sequence) == [1, 2, 3, 4])
  }

  @Test func whoNeverWasHasNone() throws {
    #expect(code { _ = try facts() } == .notFound)
    #expect(code { _ = try twind.facts(of: "not a name").all() } == .invalidArgument)
    var options = FactOptions()
    options.purpose = "Not a purpose"
    try commit(1)
    #expect(code { _ = try facts(options) } == .invalidArgument)
  }

  /// 20 facts of 60 KB each do not fit into one part, which ends behind the fact that reaches 64 KiB.
  private func commitLarge() throws {
    for number in 0..<20 {
      try twind.update(name, [.set("text", .string(String(repeating: "\(number % 10)", count: 60_000)))])
    }
  }

  @Test func longHistoriesComeInParts() throws {
    try commitLarge()
    let stream = try twind.facts(of: name)
    var parts: [FactPart] = []
    while let part = try stream.next() { parts.append(part) }
    #expect(parts.count >= 4 && parts.dropLast().allSatisfy { $0.sequence == 0 && $0.facts.count == 2 })
    #expect(parts.last?.sequence == 20)
    #expect(parts.flatMap(\.facts).map(\.sequence) == Array(1...20))
    #expect(try stream.next() == nil)
  }

  @Test func cancelledHalfWay() throws {
    try commitLarge()
    let stream = try twind.facts(of: name)
    #expect(try stream.next()?.sequence == 0)
    stream.cancel()
    #expect(code { while try stream.next() != nil {} } == .cancelled)
    #expect(try facts().count == 20)
  }

  @Test func partByPartWithoutBlocking() async throws {
    try commitLarge()
    var sequences: [UInt64] = []
    for try await part in try twind.factParts(of: name) { sequences += part.facts.map(\.sequence) }
    #expect(sequences == Array(1...20))
    var count = 0
    for try await _ in try twind.factParts(of: name) {
      count += 1
      if count == 2 { break }
    }
    #expect(count == 2)
    #expect(try facts().count == 20)
  }

  /// Facts from memory, from disk, and from both; in one life and the next.
  @Test func theSameBeforeAndAfterCheckpointsAndRestarts() throws {
    try commit(5)
    let first = try facts()
    #expect(first.count == 5)
    let crashed = try fixture.crashed(clock: clock)
    #expect(try crashed.twind.facts(of: name).all().facts == first)
    withExtendedLifetime(crashed) {}
    _ = try fixture.store.checkpoint()
    #expect(try facts() == first)
    try twind.update(name, [.set("n", .int(77)), .remove("none"), .increment("m", by: .int(1))])
    let both = try facts()
    #expect(both.prefix(5) == first[...] && both.count == 7)
    let again = try fixture.restarted(clock: clock)
    #expect(try again.twind.facts(of: name).all().facts == both)
    try again.twind.delete(name)
    #expect(try again.twind.facts(of: name).all().facts.dropLast() == both[...])
    withExtendedLifetime(again) {}
  }

  /// While commits and checkpoints go on each list is a beginning of the next, without gap or repetition.
  @Test func readersBesideWritersAndCheckpoints() async throws {
    try commit(1)
    let writer = Task.detached { [fixture] in
      for _ in 0..<300 { try fixture.client().update(name, [.increment("n", by: .int(1))]) }
    }
    let saver = Task.detached { [fixture] in
      for _ in 0..<10 { _ = try fixture.store.checkpoint() }
    }
    var last: UInt64 = 0
    while last < 301 {
      let list = try twind.facts(of: name).all()
      #expect(list.facts.map(\.sequence) == list.facts.indices.map { UInt64($0) + 1 })
      #expect(list.sequence >= last && UInt64(list.facts.count) == list.sequence)
      last = list.sequence
    }
    try await writer.value
    try await saver.value
  }
}
