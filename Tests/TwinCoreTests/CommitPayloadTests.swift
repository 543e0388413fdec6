import CTwindProto
import Testing
import TwinCore
import TwinFixtures

@Suite struct CommitPayloadTests {
  private func scene(_ name: String = "acme/customer/42") throws -> Scene {
    let scene = Scene(name)
    try scene.update([scene.requests.set("gone", .int(1))])
    try scene.update(
      [
        scene.requests.set("city", .string("Bern"), to: 2_000_000, confidence: 0.5, evidence: "ticket:1"),
        scene.requests.increment("n", .int(-300)), scene.requests.remove("gone"),
        scene.requests.set("late", .list([.int(1), .string("é")]), from: -5),
      ], purpose: "support")
    return scene
  }

  private var keyed: KeyedResult {
    KeyedResult(
      scope: Array("acme\0support-agent\0k\0".utf8), requestHash: 0xdead_beef_0000_0001, sequence: 2,
      revisions: [2, 0, 1 << 40], factCount: 4)
  }

  @Test func roundTrip() throws {
    let (one, other) = (try scene(), try scene("acme/customer/7"))
    let gone = Scene("acme/customer/9")
    try gone.update([gone.requests.set("a", .int(1))])
    gone.agent = "support-agent"
    try gone.delete()
    let changes = [one.lastChange!, other.lastChange!, gone.lastChange!]
    for keyed in [nil, keyed] {
      let again = try decoded(encoded(changes, keyed: keyed), sequence: 2)
      #expect(again.recordedAt == 1_000_000 && again.agent == Array("support-agent".utf8))
      #expect(again.keyed == keyed)
      #expect(again.changes.count == 3)
      for (left, right) in zip(again.changes, changes) {
        _ = apply(left, to: nil)
        _ = apply(right, to: nil)
        #expect(left.isIdentical(to: right))
      }
    }
    let onlyKey = try decoded(encoded([], keyed: keyed, recordedAt: -7, agent: "a"), sequence: 9)
    #expect(onlyKey.keyed == keyed && onlyKey.changes.isEmpty && onlyKey.recordedAt == -7)
  }

  @Test func appendsBehindWhatIsThere() throws {
    let change = try scene().lastChange!
    var buffer: [UInt8] = [1, 2, 3]
    CommitPayload.append(
      recordedAt: change.recordedAt, agent: change.agent.bytes, changes: [change], keyed: nil, to: &buffer)
    #expect(buffer == [1, 2, 3] + encoded([change]))
  }

  /// protobuf-c reads the same, and packs the same bytes again.
  @Test func protobufCAgrees() throws {
    let scene = try scene()
    let deleted = Scene("acme/customer/9")
    try deleted.update([deleted.requests.set("a", .int(1))])
    deleted.agent = "support-agent"
    try deleted.delete()
    let bytes = encoded([scene.lastChange!, deleted.lastChange!], keyed: keyed)
    let commit = try #require(twind__store__v1__commit__unpack(nil, bytes.count, bytes))
    defer { twind__store__v1__commit__free_unpacked(commit, nil) }
    #expect(commit.pointee.recorded_at == 1_000_000 && String(cString: commit.pointee.agent) == "support-agent")
    #expect(commit.pointee.n_twins == 2)
    let twin = try #require(commit.pointee.twins[0])
    #expect(String(cString: twin.pointee.name) == scene.name && twin.pointee.deleted == 0)
    let facts = (0..<twin.pointee.n_facts).map { unpacked(twin.pointee.facts[$0]!) }
    #expect(facts == unpackTwin(Array(scene.lastChange!.records)))
    #expect(facts.map(\.name) == ["city", "gone", "late", "n"] && facts.map(\.validTo) == [2_000_000, 0, 0, 0])
    #expect(facts[1].value == .none && facts[3].increment == .int(-300))
    #expect(commit.pointee.twins[1]?.pointee.deleted == 1)
    let result = try #require(commit.pointee.keyed)
    #expect(result.pointee.request_hash == keyed.requestHash && result.pointee.scope.len == keyed.scope.count)
    #expect(result.pointee.result.pointee.n_revisions == 3 && result.pointee.result.pointee.fact_count == 4)
    var packed = [UInt8](repeating: 0, count: twind__store__v1__commit__get_packed_size(commit))
    twind__store__v1__commit__pack(commit, &packed)
    #expect(packed == bytes)
  }

  /// Damage: never a trap, and nothing accepted that protobuf-c could not read.
  @Test func everyFlippedBitAndEveryCut() throws {
    let scene = try scene()
    let whole = encoded([scene.lastChange!], keyed: keyed)
    var (refused, accepted) = (0, 0)
    func check(_ bytes: [UInt8]) {
      do {
        let commit = try decoded(bytes, sequence: 2)
        accepted += 1
        for change in commit.changes { _ = apply(change, to: scene.image) }
        let message = twind__store__v1__commit__unpack(nil, bytes.count, bytes)
        #expect(message?.pointee.n_twins == commit.changes.count)
        twind__store__v1__commit__free_unpacked(message, nil)
      } catch {
        #expect(error.offset >= 0 && error.offset <= bytes.count && !error.reason.isEmpty)
        refused += 1
      }
    }
    for index in whole.indices {
      for bit in 0..<8 {
        var damaged = whole
        damaged[index] ^= 1 << UInt8(bit)
        check(damaged)
      }
      check(Array(whole[..<index]))
    }
    var generator = SeededGenerator(1)
    for _ in 0..<5_000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged[Int.random(in: 0..<whole.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      check(damaged)
    }
    #expect(refused > 4_000 && accepted > 100)
  }

  @Test func whatCannotBeACommitIsRefused() throws {
    let scene = try scene()
    let change = scene.lastChange!
    func reason(_ payload: [UInt8], sequence: UInt64 = 2) -> String? {
      do {
        _ = try decoded(payload, sequence: sequence)
        return nil
      } catch { return error.reason }
    }
    #expect(reason([]) != nil)
    #expect(reason(encoded([], recordedAt: 1, agent: "a"))?.contains("is empty") == true)
    #expect(reason(encoded([change]), sequence: 3)?.contains("another commit") == true)
    #expect(reason(encoded([change], agent: "other"))?.contains("another commit") == true)
    #expect(reason(encoded([change], recordedAt: 5))?.contains("another commit") == true)
    #expect(reason(encoded([change], agent: ""))?.contains("agent") == true)
    #expect(reason(encoded([change, change]))?.contains("twice") == true)
    let two = KeyedResult(scope: Array("a\0b\0".utf8), requestHash: 0, sequence: 2, revisions: [], factCount: 0)
    #expect(reason(encoded([change], keyed: two))?.contains("three parts") == true)
    let high = KeyedResult(
      scope: Array("a\0b\0c\0".utf8), requestHash: 0, sequence: Limits.sequenceMax + 1, revisions: [], factCount: 0)
    #expect(reason(encoded([change], keyed: high))?.contains("not valid") == true)
  }

  @Test func factsHaveRoomInTheirNumbers() {
    #expect(Limits.changesMax < Limits.factsPerSequenceMax)
    let last = Limits.sequenceMax.multipliedReportingOverflow(by: UInt64(Limits.factsPerSequenceMax))
    #expect(!last.overflow && last.partialValue < UInt64(Int64.max) - UInt64(Limits.factsPerSequenceMax))
  }
}
