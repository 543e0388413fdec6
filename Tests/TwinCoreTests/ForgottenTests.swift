import Testing
import TwinCore
import TwinFixtures

/// Removals beyond the limit: forgotten by the image, found among the facts.
@Suite struct ForgottenTests {
  private let scene = Scene()
  private var requests: Requests { scene.requests }

  /// 600 attributes, ten at a time: set, and removed a microsecond later.
  private func loseMany() throws {
    for ten in stride(from: 0, to: 600, by: 10) {
      scene.now += 1
      try scene.update((ten..<ten + 10).map { requests.set("a\($0)", .int(1)) })
      scene.now += 1
      try scene.update((ten..<ten + 10).map { requests.remove("a\($0)") })
    }
  }

  private func recall(_ names: [String]) throws -> TwinImage? {
    var search = RemovalSearch(names.map { Array($0.utf8) })
    for fact in scene.facts { try search.add(fact) }
    return search.recalled(scene.image!.name)
  }

  @Test func theOldestAreForgotten() throws {
    let start = scene.now
    try loseMany()
    let image = try #require(scene.image)
    #expect(image.pendingCount == 512 && image.entryCount == 0)
    // The 88th removal was the last to go.
    #expect(image.forgottenThrough == start + 2 * 9)
  }

  @Test func onlyWhatMattersIsLookedUp() throws {
    let start = scene.now
    try loseMany()
    let image = try #require(scene.image)
    func forgotten(_ name: String, _ from: Int64, _ to: Int64 = 0) -> Bool {
      Array(name.utf8).withUnsafeBytes { !image.forgottenNames([($0, (from, to))]).isEmpty }
    }
    #expect(forgotten("a0", start + 1) && forgotten("new", start + 1))
    // Nothing that was forgotten is later than this one, or holds on after its end.
    #expect(!forgotten("a0", image.forgottenThrough) && !forgotten("a0", start + 1, start + 2))
    // This one is remembered.
    #expect(!forgotten("a599", start + 1))
  }

  @Test func whatIsRecalledKeepsOlderFactsOut() throws {
    let start = scene.now
    try loseMany()
    let before = try #require(scene.image)
    let found = try #require(try recall(["a0", "never"]))
    #expect(found.pendingCount == 1)
    scene.now += 1
    // The removal of a0 was at start + 2.
    for (from, counts) in [(start + 1, false), (start + 2, true), (start + 3, true)] {
      let request = requests.update(scene.name, [requests.set("a0", .int(9), from: from)])
      let command = try Command(update: request, agent: Text(requests.text("late")))
      let commit = Commit(sequence: 5_000, recordedAt: scene.now, agent: command.agent, purpose: .empty)
      let decision = try decide(command, on: [before], recalling: [0: found], as: commit)
      let change = TwinImage.change(decision.facts[...], named: before.name, as: commit)
      let after = apply(change, to: before, recalling: found)
      #expect(after.entryCount == (counts ? 1 : 0), "from \(from - start)")
      #expect(after.pendingCount == 512 && after.forgottenThrough == before.forgottenThrough)
    }
  }

  @Test func nothingIsForgottenOfADeletedTwin() throws {
    try loseMany()
    scene.now += 1
    try scene.delete()
    #expect(scene.image?.forgottenThrough == .min)
    #expect(try recall(["a0"]) == nil)
    try scene.update([requests.set("a0", .int(1), from: 1)])
    #expect(scene.image?.entryCount == 1)
  }

  @Test(arguments: [Int64.min + 1, -1, 0, 1, 1_700_000_000_000_000, .max])
  func inFormat2TheTimeStandsInFrontOfThePendingRecords(_ time: Int64) throws {
    try scene.update([requests.set("a", .int(1))])
    try scene.update([requests.remove("a")])
    let image = try #require(scene.image)
    let record = time == 0 ? [] : [0x18] + varint(UInt64(bitPattern: time))
    let stored = [0x1a, UInt8(record.count)] + record + image.pendingRecords
    stored.withUnsafeBytes { bytes in
      let (through, pending) = TwinImage.forgotten(in: bytes)
      #expect(through == time && Array(pending) == Array(image.pendingRecords))
    }
    let (nothing, pending) = TwinImage.forgotten(in: image.pendingRecords)
    #expect(nothing == .min && pending.count == image.pendingLength)
  }

  private func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
  }
}
