import Testing
import TwinClient
import TwinText

@Suite struct DifferencesTests {
  /// Recorded at `time`, by default holding from then on.
  private func fact(
    _ change: Fact.Change, at time: Int64, from: Int64? = nil, to: Int64? = nil, of attribute: String = "plan"
  ) -> Fact {
    Fact(
      change == .deletion ? "" : attribute, change, validFrom: from ?? time, validTo: to, recordedAt: time, agent: "a",
      sequence: UInt64(time))
  }

  private func set(_ value: String, at time: Int64, from: Int64? = nil, to: Int64? = nil) -> Fact {
    fact(.set(.string(value)), at: time, from: from, to: to)
  }

  @Test func oldAndNewValues() {
    let facts = [
      set("basic", at: 1), fact(.increment(.int(3), by: .int(3)), at: 2, of: "visits"), set("pro plus", at: 3),
      fact(.increment(.int(1), by: .int(-2)), at: 4, of: "visits"), fact(.removal, at: 5), set("new", at: 6),
      fact(.deletion, at: 7), set("again", at: 8),
    ]
    #expect(
      facts.differences().map { $0.change() } == [
        "basic", "3 (+3)", "basic → \"pro plus\"", "3 → 1 (-2)", "\"pro plus\" → removed", "new", "twin deleted",
        "again",
      ])
    #expect(facts.differences().allSatisfy { $0.counts && $0.validity.isEmpty })
  }

  @Test func kindsThatChange() {
    let facts = [
      fact(.set(.int(5)), at: 1), fact(.set(.string("abc")), at: 2), fact(.set(.string("x")), at: 3),
      fact(.removal, at: 4), fact(.set(.json("{}")), at: 5), fact(.deletion, at: 6),
    ]
    #expect(facts.differences().map(\.kinds) == ["int", "int → string", "string", "string", "json", "-"])
  }

  @Test func changesFitIntoALine() throws {
    let long = String(repeating: "x", count: 200)
    let differences = [set(long, at: 1), set("\(long) y", at: 2), set("z", at: 3), fact(.removal, at: 4)].differences()
    for room in [26, 40, 70] {
      for difference in differences {
        #expect(DisplayText.columnCount(difference.change(within: room)) <= room)
      }
    }
    #expect(differences[3].change(within: 40) == "z → removed")
    #expect(differences[2].change(within: 40).hasSuffix("… → z"))
  }

  @Test func longValidityTakesTwoLines() throws {
    let facts = [set("a", at: 20, from: 10, to: 30), set("b", at: 40), set("c", at: 50, from: 35)]
    let validities = facts.differences().map { $0.validityLines(within: 200) }
    #expect(validities.map(\.count) == [1, 0, 1] && validities[2][0].hasSuffix(", late"))
    let lines = try #require(facts.differences().first).validityLines(within: 40)
    #expect(lines.count == 2 && lines[0].hasPrefix("as of ") && lines[1].hasPrefix("until "))
  }

  @Test func correctionsAreComparedWithWhatHeldThen() {
    let differences = [
      set("basic", at: 10), set("pro", at: 20), set("trial", at: 30, from: 12, to: 15), set("gold", at: 40, from: 14),
      set("free", at: 50, from: 2), set("later", at: 60, from: 99), set("last", at: 70, from: 16, to: 80),
    ].differences()
    #expect(
      differences.map { $0.change() } == [
        // At 14 the correction to trial stands.
        "basic", "basic → pro", "basic → trial", "trial → gold", "free", "pro → later", "gold → last",
      ])
    #expect(differences.map(\.counts) == [true, true, false, false, false, false, true])
  }

  @Test func atOneTimeHowWhatIsKnownOfItCameAbout() {
    let facts = [
      set("basic", at: 10), set("pro", at: 20), set("trial", at: 30, from: 12, to: 15), set("gold", at: 40, from: 11),
      fact(.deletion, at: 50), set("free", at: 60, from: 12),
    ]
    // At 13 gold, which is older and open, does not take the place of the correction.
    let expected: [Value?] = [nil, .string("basic"), .string("basic"), .string("trial"), nil, .string("trial")]
    #expect(facts.differences(at: 13).map(\.before) == expected)
    #expect(facts.differences(at: 13).map(\.counts) == [true, false, true, false, true, true])
  }

  @Test func whatADeletionEndsHeldBeforeIt() {
    let differences = [set("basic", at: 10), fact(.deletion, at: 20), set("trial", at: 30, from: 15)].differences()
    #expect(differences.map { $0.change() } == ["basic", "twin deleted", "basic → trial"])
    let later = [set("basic", at: 10), fact(.deletion, at: 20), set("trial", at: 30, from: 25)].differences()
    #expect(later.last?.before == nil)
  }

  @Test func whenItHolds() {
    func validity(_ fact: Fact, counts: Bool = true) -> String {
      Difference(fact: fact, before: nil, counts: counts).validity
    }
    let (early, now, late) = (TimestampText.local(1), TimestampText.local(1_000_000), TimestampText.local(2_000_000))
    #expect(validity(set("a", at: 1_000_000)).isEmpty && !now.isEmpty)
    #expect(validity(set("a", at: 1_000_000, from: 1)) == "as of \(early)")
    #expect(validity(set("a", at: 1_000_000, from: 1), counts: false) == "as of \(early), late")
    #expect(validity(set("a", at: 1_000_000, from: 1, to: 2_000_000), counts: false) == "as of \(early) until \(late)")
    #expect(validity(set("a", at: 1_000_000, from: 2_000_000), counts: false) == "from \(late)")
    #expect(validity(set("a", at: 1_000_000, to: 2_000_000)) == "until \(late)")
  }

  /// The rule said the slow way, on every prefix of random histories.
  @Test func asFoldingEverythingSays() {
    var generator = Steps()
    for _ in 0..<300 {
      var facts: [Fact] = []
      for time in 1...14 as ClosedRange<Int64> {
        if time % 7 == 0 {
          facts.append(fact(.deletion, at: time * 10))
          continue
        }
        let from = Int64.random(in: 0...150, using: &generator)
        let to = Bool.random(using: &generator) ? nil : from + Int64.random(in: 1...60, using: &generator)
        facts.append(set("\(time)", at: time * 10, from: from, to: to))
      }
      for (index, difference) in facts.differences().enumerated() where facts[index].change != .deletion {
        #expect(difference.before == Self.value(facts.prefix(index), at: facts[index].validFrom))
        let now = Self.value(facts.prefix(index + 1), at: facts[index].recordedAt)
        #expect(difference.counts == (now == facts[index].value))
      }
    }
  }

  private static func value(_ facts: ArraySlice<Fact>, at time: Int64) -> Value? {
    var winner: Fact?
    for fact in facts where fact.validFrom <= time && time < fact.validTo ?? .max {
      if fact.change == .deletion {
        winner = nil
      } else if fact.validTo != nil || winner?.validFrom ?? .min <= fact.validFrom {
        winner = fact
      }
    }
    return winner?.value
  }

  /// A counter of many increments takes no square of their time.
  @Test func longHistoriesInOrder() {
    let facts = (1...50_000).map { fact(.increment(.int(Int64($0)), by: .int(1)), at: Int64($0)) }
    #expect(facts.differences().last?.before == .int(49_999))
  }
}

/// The same numbers in each run: the generator of Knuth's MMIX.
private struct Steps: RandomNumberGenerator {
  private var state: UInt64 = 1

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state.byteSwapped
  }
}
