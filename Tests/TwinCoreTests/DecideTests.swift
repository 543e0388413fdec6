import Testing
import TwinCore
import TwinFixtures

@Suite struct DecideTests {
  private let scene = Scene()
  private var requests: Requests { scene.requests }

  @Test func aSetThatChangesNothingMakesNoFact() throws {
    let literals: [Literal] = [.string("x"), .int(0), .double(-0.5), .list([.int(1)]), .bytes([]), .json("[]")]
    for (index, literal) in literals.enumerated() {
      #expect(try scene.update([requests.set("a\(index)", literal)]) == 1)
      scene.now += 10
      #expect(try scene.update([requests.set("a\(index)", literal)]) == 0)
    }
    #expect(scene.image?.revision == UInt64(literals.count))
    #expect(try scene.update([requests.set("a0", .string("y")), requests.set("a1", .int(0))]) == 1)
    #expect(scene.lastChange?.entryCount == 1)
  }

  @Test func statedProvenanceIsAChange() throws {
    try scene.update([requests.set("a", .int(1), confidence: 0.5, evidence: "e")])
    scene.now += 10
    #expect(try scene.update([requests.set("a", .int(1))]) == 0)
    #expect(try scene.update([requests.set("a", .int(1), confidence: 0.5, evidence: "e")]) == 0)
    #expect(try scene.update([requests.set("a", .int(1), confidence: 0.6)]) == 1)
    #expect(try scene.update([requests.set("a", .int(1), evidence: "f")]) == 1)
    #expect(try scene.update([requests.set("a", .int(1), from: scene.now)]) == 0)
    scene.now += 10
    #expect(try scene.update([requests.set("a", .int(1), from: scene.now)]) == 1)
  }

  @Test func typesDiffer() throws {
    try scene.update([requests.set("a", .int(1))])
    #expect(try scene.update([requests.set("a", .timestamp(1))]) == 1)
    #expect(try scene.update([requests.set("a", .string("1"))]) == 1)
    #expect(try scene.update([requests.set("a", .json("1"))]) == 1)
    #expect(scene.value("a") == .json("1"))
  }

  @Test func removals() throws {
    try scene.update([requests.set("a", .int(1)), requests.set("b", .int(2)), requests.set("c", .int(3))])
    #expect(try scene.update([requests.remove("absent")]) == 0)
    #expect(try scene.update([requests.remove("b"), requests.set("d", .int(4))]) == 2)
    #expect(scene.image?.unpacked?.map(\.name) == ["a", "c", "d"])
    let change = try #require(unpackChange(Array(scene.lastChange!.records)))
    #expect(change.set.map(\.name) == ["d"])
    #expect(change.removed == ["b"])
    try scene.update([requests.remove("a"), requests.remove("c"), requests.remove("d")])
    // Empty, but there.
    #expect(scene.image?.entryCount == 0 && scene.image?.isDeleted == false && scene.image?.revision == 3)
  }

  @Test func noChanges() throws {
    #expect(scene.failure([])?.code == .invalidArgument)
    #expect(scene.failure([])?.message.contains("set an attribute to create it") == true)
    #expect(try scene.update([requests.remove("a")]) == 0)
    #expect(scene.image == nil)
    try scene.update([requests.set("a", .int(1))])
    #expect(try scene.update([]) == 0)
  }

  @Test func preconditions() throws {
    let set = [requests.set("a", .int(1))]
    #expect(scene.failure(set, expected: 7)?.code == .aborted)
    #expect(try scene.update(set, expected: 0) == 1)
    let aborted = try #require(scene.failure([requests.set("a", .int(2))], expected: 0))
    #expect(aborted.code == .aborted)
    let detail = TwinError.Detail.conflict(
      name: Array(scene.name.utf8), currentRevision: 1, lastAgent: Array("support-agent".utf8),
      recordedAt: 1_000_000)
    #expect(aborted.detail == detail)
    let exists = try #require(scene.failure(set, mustNotExist: true))
    #expect(exists.code == .alreadyExists && exists.detail == detail)
    // A condition that does not hold fails even what would change nothing.
    #expect(scene.failure(set, expected: 2)?.code == .aborted)
    #expect(try scene.update([requests.set("a", .int(2))], expected: 1) == 1)
  }

  @Test func deletion() throws {
    #expect(throws: TwinError.self) { try scene.delete() }
    try scene.update([requests.set("a", .int(1))])
    do throws(TwinError) {
      try scene.delete(expected: 9)
      Issue.record("deleted at another revision")
    } catch { #expect(error.code == .aborted) }
    try scene.delete(expected: 1)
    #expect(scene.image?.isDeleted == true && scene.image?.revision == 2 && scene.image?.entryCount == 0)
    #expect(scene.lastChange?.isDeleted == true)
    let deletion = try #require(unpackTwin(Array(scene.lastChange!.records)))
    #expect(
      deletion == [
        UnpackedAttribute(
          name: "", value: .none, validFrom: scene.now, recordedAt: scene.now, agent: "cleaner", confidence: 0,
          evidence: "", sequence: 2, purpose: "")
      ])
    #expect(Array(scene.image!.agent.bytes) == Array("cleaner".utf8))
    do throws(TwinError) {
      try scene.delete(expected: 2)
      Issue.record("deleted twice")
    } catch { #expect(error.code == .notFound) }
    #expect(scene.failure([])?.code == .invalidArgument)
    #expect(scene.failure([requests.set("a", .int(1))], expected: 0)?.code == .aborted)
    // Its number goes on where it was.
    try scene.update([requests.set("b", .int(1))], mustNotExist: true)
    #expect(scene.image?.revision == 3 && scene.image?.unpacked?.map(\.name) == ["b"])
  }

  @Test func emptyIntervals() {
    #expect(scene.failure([requests.set("b", .int(2), to: scene.now)])?.code == .invalidArgument)
    #expect(scene.failure([requests.remove("b", from: 7, to: 7)])?.code == .invalidArgument)
    #expect(scene.image == nil)
  }

  @Test func sayingAgainWhatIsScheduledMakesNoFact() throws {
    let now = scene.now
    #expect(try scene.update([requests.set("a", .int(1)), requests.set("b", .int(1), to: now + 50)]) == 2)
    #expect(try scene.update([requests.set("a", .int(2), from: now + 10)]) == 1)
    scene.now += 5
    #expect(try scene.update([requests.set("a", .int(2), from: now + 10)]) == 0)
    #expect(try scene.update([requests.set("a", .int(1)), requests.set("b", .int(1), to: now + 50)]) == 0)
    #expect(try scene.update([requests.set("a", .int(2), from: now + 11)]) == 1)
    // To hold for good, to end earlier, or to hold from another time is news.
    #expect(try scene.update([requests.set("b", .int(1))]) == 1)
    #expect(try scene.update([requests.set("b", .int(1), to: now + 40)]) == 1)
    #expect(try scene.update([requests.set("b", .int(1), from: now + 4, to: now + 40)]) == 1)
  }

  @Test func ofAPastThatMemoryDoesNotHoldEverythingIsAFact() throws {
    try scene.update([requests.set("a", .int(1), from: 500)])
    #expect(try scene.update([requests.set("a", .int(1), from: 499)]) == 1)
    #expect(try scene.update([requests.set("a", .int(1), from: 499)]) == 1)
    #expect(try scene.update([requests.remove("b", from: 499)]) == 1)
    #expect(try scene.update([requests.remove("b", from: 499)]) == 0)
    #expect(try scene.update([requests.remove("c"), requests.remove("d", from: scene.now + 9)]) == 0)
    #expect(scene.image?.unpacked?.map(\.validFrom) == [500])
  }

  @Test func ofATwinThatNeverWasNothingIsRemoved() throws {
    #expect(try scene.update([requests.remove("a", from: 499, to: 500)]) == 0)
    #expect(scene.image == nil)
  }

  @Test func twinLimits() throws {
    try scene.update((0..<512).map { requests.set("a\($0)", .int(1)) })
    let full = try #require(scene.failure([requests.set("b", .int(1))]))
    #expect(full.code == .resourceExhausted)
    #expect(full.detail == .limit(name: "attributesPerTwinMax", maximum: 512, actual: 513))
    // What is removed makes room, and is remembered.
    #expect(try scene.update([requests.set("a1", .int(2)), requests.remove("a0")]) == 2)
    #expect(try scene.update([requests.set("b", .int(1))]) == 1)
    #expect(scene.image?.pendingCount == 1)
    #expect(try scene.update((1..<512).map { requests.remove("a\($0)") }) == 511)
    // Another removal is not refused: the oldest one is forgotten.
    #expect(try scene.update([requests.remove("b")]) == 1)
    #expect(scene.image?.pendingCount == 512 && scene.image?.forgottenThrough == scene.now)
    let value = Literal.string(String(repeating: "v", count: 65_000))
    let large = try #require(scene.failure((1...17).map { requests.set("a\($0)", value) }))
    #expect(large.code == .resourceExhausted && large.message.contains(scene.name))
    guard case .limit("twinBytesMax", 1_048_576, _)? = large.detail else {
      Issue.record("detail is \(String(describing: large.detail))")
      return
    }
  }

  /// When they begin nobody is there to be refused: a twin would have more than it may, and take no more changes.
  @Test func scheduledAttributesCountWhenTheyAreWritten() throws {
    let later = scene.now + 100
    try scene.update((0..<500).map { requests.set("a\($0)", .int(1)) })
    #expect(try scene.update((0..<12).map { requests.set("b\($0)", .int(1), from: later) }) == 12)
    let full = try #require(scene.failure([requests.set("c", .int(1), from: later)]))
    #expect(full.detail == .limit(name: "attributesPerTwinMax", maximum: 512, actual: 513))
    #expect(scene.failure([requests.set("c", .int(1))])?.code == .resourceExhausted)
    // Another value of an attribute that is there is no other attribute.
    #expect(try scene.update((0..<250).map { requests.set("a\($0)", .int(2), from: later) }) == 250)
    #expect(try scene.update([requests.remove("a0"), requests.remove("a1")]) == 2)
    scene.now = later + 1
    #expect(scene.image?.derived(at: scene.now).entryCount == 512)
    #expect(try scene.update([requests.set("a5", .int(3))]) == 1)
  }

  @Test func aFailureChangesNothing() throws {
    try scene.update([requests.set("a", .int(1)), requests.set("s", .string("x"))])
    #expect(scene.failure([requests.set("a", .int(2)), requests.increment("s", .int(1))]) != nil)
    #expect(scene.value("a") == .int(1) && scene.image?.revision == 1)
  }
}
