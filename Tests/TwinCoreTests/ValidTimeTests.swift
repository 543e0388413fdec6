import Testing
import TwinCore
import TwinFixtures

/// The rule of the two axes, case by case.
@Suite struct ValidTimeTests {
  private let scene = Scene()
  private var requests: Requests { scene.requests }

  private func value(at time: Int64) -> Literal? { scene.image?.derived(at: time).value("a") }

  private func past(_ time: Int64, known count: Int? = nil) throws -> Literal? {
    let facts = Array(scene.facts.prefix(count ?? scene.facts.count))
    return try TwinImage.asOf(scene.image!.name, facts, validAt: time)?.value("a")
  }

  @Test func aLateFactGoesIntoHistory() throws {
    try scene.update([requests.set("a", .int(2), from: 500)])
    try scene.update([requests.set("a", .int(1), from: 300)])
    #expect(scene.value("a") == .int(2) && scene.image?.pendingCount == 0)
    #expect(scene.lastChange?.entries[0].flags == [.notCurrent])
    #expect(try past(299) == nil && past(300) == .int(1) && past(499) == .int(1) && past(500) == .int(2))
    #expect(try past(300, known: 1) == nil)
  }

  @Test func aCorrectionSplitsAnInterval() throws {
    try scene.update([requests.set("a", .int(1), from: 100)])
    try scene.update([requests.set("a", .int(2), from: 200, to: 300)])
    #expect(scene.value("a") == .int(1) && scene.image?.pendingCount == 0)
    #expect(try past(199) == .int(1) && past(200) == .int(2) && past(299) == .int(2) && past(300) == .int(1))
    #expect(try past(250, known: 1) == .int(1))
  }

  @Test func whatIsScheduledTakesEffectByTimeAlone() throws {
    let now = scene.now
    try scene.update([requests.set("a", .int(1))])
    try scene.update([requests.set("a", .int(2), from: now + 100, to: now + 200)])
    try scene.update([requests.remove("a", from: now + 300)])
    #expect(scene.value("a") == .int(1) && scene.image?.nextChangeTime == now + 100)
    #expect(value(at: now + 99) == .int(1) && value(at: now + 100) == .int(2) && value(at: now + 200) == .int(1))
    #expect(value(at: now + 300) == nil && value(at: .max) == nil)
    #expect(scene.image?.derived(at: now + 300).nextChangeTime == .max)
  }

  @Test func aRemovalKeepsOutOlderFactsThatComeLate() throws {
    try scene.update([requests.set("a", .int(1), from: 100)])
    try scene.update([requests.remove("a")])
    try scene.update([requests.set("a", .int(2), from: 200)])
    #expect(scene.value("a") == nil)
    #expect(try past(scene.now - 1) == .int(2))
    try scene.update([requests.set("a", .int(3))])
    #expect(scene.value("a") == .int(3) && scene.image?.pendingCount == 0)
  }

  @Test func aDeletionEndsWhatWasKnownBefore() throws {
    try scene.update([requests.set("a", .int(1), from: 100), requests.set("b", .int(1), from: scene.now + 50)])
    scene.now += 10
    try scene.delete()
    let end = scene.now
    #expect(scene.image?.pendingCount == 0 && scene.image?.derived(at: end + 100).isDeleted == true)
    #expect(try past(end - 1) == .int(1))
    #expect(try TwinImage.asOf(scene.image!.name, scene.facts, validAt: end) == nil)
    scene.now += 10
    // Created anew, with a fact about the time before.
    try scene.update([requests.set("a", .int(5), from: 50)])
    #expect(scene.value("a") == .int(5) && scene.image?.entryCount == 1)
    #expect(try past(end) == .int(5) && past(end - 1) == .int(1) && past(70) == .int(5))
  }

  /// A bounded fact that an open one has replaced still keeps older ones out.
  @Test func whatIsReplacedMayStillBeNeeded() throws {
    let now = scene.now
    try scene.update([requests.set("a", .int(1), from: now - 10)])
    try scene.update([requests.set("a", .int(2), from: now - 50, to: now + 100)])
    try scene.update([requests.set("a", .int(3), from: now - 40)])
    #expect(scene.value("a") == .int(3) && scene.image?.pendingCount == 2)
    #expect(value(at: now + 99) == .int(3) && value(at: now + 100) == .int(1))
    // One correction after the other does not pile up.
    for number in 0..<100 { try scene.update([requests.set("a", .int(Int64(number)), to: now + 1_000)]) }
    #expect(scene.image?.pendingCount == 1 && scene.image?.entryCount == 1)
  }

  @Test func damagedFactsAreRefused() throws {
    try scene.update([requests.set("a", .int(1)), requests.set("b", .int(1))])
    let name = scene.image!.name
    let facts = scene.facts
    #expect(try TwinImage.asOf(name, [], validAt: 0) == nil)
    #expect(throws: RecordFault(offset: 1, reason: "the fact is out of order")) {
      try TwinImage.asOf(name, [facts[1], facts[0]], validAt: scene.now)
    }
    let moved = StoredFact(sequence: 7, ordinal: 0, message: facts[0].message)
    #expect(throws: RecordFault.self) { try TwinImage.asOf(name, [moved], validAt: scene.now) }
    for index in facts[0].message.indices {
      for bit in 0..<8 {
        var message = facts[0].message
        message[index] ^= 1 << UInt8(bit)
        let damaged = StoredFact(sequence: 1, ordinal: 0, message: message)
        let image = try? TwinImage.asOf(name, [damaged, facts[1]], validAt: scene.now)
        #expect(image == nil || image?.unpacked != nil)
      }
    }
  }
}
