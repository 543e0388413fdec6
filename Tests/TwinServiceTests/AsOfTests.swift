import TTRPC
import Testing
import TwinClient
import TwinCore
import TwinStore

private let name = "acme/customer/1"
private let second: Int64 = 1_000_000

/// GetTwin on both axes.
@Suite struct AsOfTests {
  let clock = SteppedClock()
  let fixture: ServiceFixture
  var twind: TwindClient { fixture.twind }
  /// The time at which the test begins.
  let start: Int64

  init() throws {
    fixture = try ServiceFixture(clock: clock)
    start = clock.wallMicros()
  }

  /// An attribute's value at a second of valid time, as known at a second of recorded time; nil = now.
  private func value(
    _ attribute: String = "plan", at valid: Int64? = nil, known: Int64? = nil, in fixture: ServiceFixture? = nil
  ) throws -> Value? {
    var options = ReadOptions()
    options.validAt = valid.map { start + $0 * second }
    options.knownAt = known.map { start + $0 * second }
    let result = Result { () throws(RPCError) in try (fixture ?? self.fixture).twind.get(name, options) }
    if case .failure(let error) = result, error.code == .notFound { return nil }
    return try result.get().twin?[attribute]
  }

  /// A change about a part of time in seconds.
  private func set(_ value: String, from: Int64? = nil, to: Int64? = nil) -> Change {
    var change = Change.set("plan", .string(value))
    change.validFrom = from.map { start + $0 * second }
    change.validTo = to.map { start + $0 * second }
    return change
  }

  /// At the given second of recorded time.
  private func commit(_ changes: Change..., at time: Int64) throws {
    clock.advance(by: start + time * second - clock.wallMicros())
    try twind.update(name, changes)
  }

  @Test func whatWasTrueAndWhatWasKnown() throws {
    try commit(set("basic"), at: 0)
    try commit(set("pro"), at: 10)
    for (time, expected) in [(-1, nil), (0, "basic"), (9, "basic"), (10, "pro"), (20, "pro")] as [(Int64, String?)] {
      #expect(try value(at: time) == expected.map { .string($0) }, "at \(time)")
    }
    // Nothing was known before 0; until 10 nobody knew of pro.
    #expect(try value(at: 10, known: -1) == nil)
    #expect(try value(at: 10, known: 9) == .string("basic"))
    #expect(try value(known: 9) == .string("basic"))
    #expect(try value(at: 10, known: 10) == .string("pro"))
  }

  @Test func aCorrectionSplitsAnIntervalAndTheOldUnderstandingStays() throws {
    try commit(set("basic"), at: 0)
    try commit(set("trial", from: 3, to: 6), at: 20)
    for (time, expected) in [(2, "basic"), (3, "trial"), (5, "trial"), (6, "basic"), (20, "basic")] as [(Int64, String)]
    {
      #expect(try value(at: time) == .string(expected), "at \(time)")
      #expect(try value(at: time, known: 19) == .string("basic"), "at \(time)")
    }
    // A correction of the correction.
    try commit(set("pro", from: 4, to: 5), at: 30)
    #expect(try (3...5).map { try value(at: $0) } == [.string("trial"), .string("pro"), .string("trial")])
    #expect(try value(at: 4, known: 29) == .string("trial") && value(at: 4, known: 19) == .string("basic"))
  }

  @Test func aLateFactDoesNotReplaceANewerValue() throws {
    try commit(set("basic", from: -20), at: 0)
    try commit(set("pro", from: -5), at: 1)
    try commit(set("trial", from: -10), at: 2)
    #expect(try value() == .string("pro"))
    for (time, expected) in [(-20, "basic"), (-10, "trial"), (-6, "trial"), (-5, "pro")] as [(Int64, String)] {
      #expect(try value(at: time) == .string(expected), "at \(time)")
    }
    #expect(try value(at: -6, known: 1) == .string("basic"))
  }

  @Test func timeAloneMakesValuesBeginAndEnd() throws {
    try commit(set("basic"), at: 0)
    try commit(set("trial", to: 20), at: 10)
    try commit(set("pro", from: 40), at: 11)
    #expect(try value() == .string("trial") && value(at: 20) == .string("basic") && value(at: 40) == .string("pro"))
    for (time, expected) in [(19, "trial"), (20, "basic"), (39, "basic"), (40, "pro")] as [(Int64, String)] {
      clock.advance(by: start + time * second - clock.wallMicros())
      #expect(try value() == .string(expected) && value(at: time) == .string(expected), "at \(time)")
      #expect(try twind.list(prefix: "acme/").twins[0]["plan"] == .string(expected))
      #expect(try twind.get(many: [name]).results[0].result.get()["plan"] == .string(expected))
    }
    #expect(try twind.get(name).twin?.revision == 3)
  }

  @Test func aValueThatEndsLeavesNone() throws {
    try commit(set("trial", to: 5), Change.set("other", .int(1)), at: 0)
    clock.advance(by: 5 * second)
    #expect(try twind.get(name).twin?.attributes.map(\.name) == ["other"])
    #expect(try value(at: 4) == .string("trial"))
  }

  @Test func deletedAndMadeAnew() throws {
    try commit(set("basic"), at: 0)
    clock.advance(by: 10 * second)
    try twind.delete(name)
    #expect(try value(at: 9) == .string("basic") && value(at: 9, known: 9) == .string("basic"))
    #expect(try value(at: 10) == nil)
    #expect(try value(at: 12, known: 9) == .string("basic"))
    try commit(set("pro"), at: 20)
    #expect(
      try (9...20).map { try value(at: $0) } == [.string("basic")] + Array(repeating: nil, count: 10) + [.string("pro")]
    )
    #expect(try value(known: 19) == nil)
  }

  @Test func theFutureIsKnownToNobody() throws {
    try commit(set("basic"), at: 0)
    var options = ReadOptions()
    options.knownAt = start + 1
    let error = failure { _ = try twind.get(name, options) }
    #expect(error?.code == .invalidArgument && error?.message.contains("known_at \(instant(start + 1))") == true)
    options.knownAt = start
    #expect(try twind.get(name, options).twin?["plan"] == .string("basic"))
    options.validAt = start + 1_000 * second
    #expect(try twind.get(name, options).twin?["plan"] == .string("basic"))
  }

  @Test func whatNeverWasIsNotFound() throws {
    var options = ReadOptions()
    options.validAt = start
    #expect(code { _ = try twind.get("acme/customer/none", options) } == .notFound)
    try commit(set("basic"), at: 0)
    options.validAt = start
    options.knownAt = start - 1
    #expect(code { _ = try twind.get(name, options) } == .notFound)
    #expect(code { _ = try twind.get("not a name", options) } == .invalidArgument)
  }

  @Test func attributesAndRevisionOfThePast() throws {
    try commit(set("basic"), .set("address.city", .string("Bern")), at: 0)
    try commit(.set("address.city", .string("Zug")), at: 10)
    var options = ReadOptions()
    options.attributes = ["address"]
    options.knownAt = start + 9 * second
    let read = try twind.get(name, options)
    #expect(read.twin?.attributes.map(\.value) == [.string("Bern")])
    #expect(read.twin?.revision == 1 && read.twin?.attributes[0].sequence == 1 && read.sequence == 2)
    // A revision does not say for which time it was read.
    #expect(try twind.get(name, options, ifNewerThan: 1).twin?.revision == 1)
  }

  /// The client refuses what would silently be early 1970, or the far future.
  @Test(arguments: [1_767_225_600, 1_767_225_600_000, 1_767_225_600_000_000_000] as [Int64])
  func otherUnitsAreRefused(time: Int64) throws {
    var options = ReadOptions()
    options.validAt = time
    let read = failure { _ = try twind.get(name, options) }
    #expect(read?.code == .invalidArgument && read?.message.contains("seconds") == true)
    var change = Change.set("plan", .string("x"))
    change.validFrom = time
    let written = failure { try twind.update(name, [change]) }
    #expect(written?.code == .invalidArgument && written?.message.contains("plan") == true)
  }

  @Test func readsOfManyAreOfThePresent() throws {
    var options = ReadOptions()
    options.knownAt = start
    #expect(code { _ = try twind.get(many: [name], options) } == .invalidArgument)
    #expect(code { _ = try twind.list(prefix: "", options) } == .invalidArgument)
    options.knownAt = 0
    #expect(failure { _ = try twind.get(name, options) }?.message.contains("knownAt") == true)
  }

  /// Facts from memory, from disk, and from both; in one life and the next.
  @Test func theSameBeforeAndAfterCheckpointsAndRestarts() throws {
    try commit(set("basic"), at: 0)
    try commit(set("trial", from: 3, to: 6), at: 20)
    try commit(set("pro", from: 15), at: 30)
    try commit(set("gold", from: 60), at: 40)
    let moments = (-1...61).flatMap { valid in
      [-1, 0, 19, 20, 29, 30, 40].map { (valid: Int64(valid), known: Int64($0)) }
    }
    func all(_ fixture: ServiceFixture) throws -> [Value?] {
      try moments.map { try value(at: $0.valid, known: $0.known, in: fixture) }
    }
    let expected = try all(fixture)
    #expect(Set(expected.map { "\($0 as Value?)" }).count == 5)
    #expect(try all(fixture.crashed(clock: clock)) == expected)
    _ = try fixture.store.checkpoint()
    #expect(try all(fixture) == expected)
    try commit(set("late", from: -30), at: 50)
    #expect(try all(fixture) == expected)
    #expect(try value(at: -1) == .string("late"))
    let again = try fixture.restarted(clock: clock)
    #expect(try all(again) == expected)
    #expect(try value(at: -1, in: again) == .string("late"))
    clock.advance(by: start + 60 * second - clock.wallMicros())
    #expect(try value(in: again) == .string("gold"))
  }
}
