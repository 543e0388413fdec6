// What tells requests apart under one idempotency key, and what does not.

import CTwindProto
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct RequestHashTests {
  private typealias Update = UnsafeMutablePointer<Twind__V1__UpdateTwinRequest>

  private let requests = Requests()
  private var agent: Text { Text(requests.text("agent")) }

  private func meaning(_ update: Update) throws -> UInt64 {
    RequestHash.meaning(of: try Command(update: update, agent: agent))
  }

  private func meaning(
    _ changes: [ChangePointer], expected: UInt64? = nil, mustNotExist: Bool = false, purpose: String = ""
  ) throws -> UInt64 {
    try meaning(
      requests.update(
        "a/b/1", changes, expected: expected, mustNotExist: mustNotExist, key: "k", purpose: purpose))
  }

  private func hash(_ method: StaticString, _ payload: [UInt8]) -> UInt64 {
    withBytes(payload) { RequestHash.payload($0, of: method) }
  }

  @Test func isStable() throws {
    // Written down once: a stored hash must be met again after any restart and any upgrade.
    #expect(hash("UpdateTwin", Array("payload of a request".utf8)) == 14_538_100_431_803_712_438)
    let change = requests.set("x", .list([.int(1), .string("y")]), from: 5, evidence: "e")
    let hash = try meaning([change])
    #expect(hash == 2_800_946_436_986_241_639)
  }

  @Test func tellsPayloadsApart() {
    var seen: Set<UInt64> = []
    for length in 0..<100 { seen.insert(hash("UpdateTwin", Array(repeating: 0, count: length))) }
    for bit in 0..<80 {
      var payload = [UInt8](repeating: 0, count: 10)
      payload[bit / 8] = 1 << UInt8(bit % 8)
      seen.insert(hash("UpdateTwin", payload))
    }
    seen.insert(hash("DeleteTwin", []))
    #expect(seen.count == 181)
  }

  @Test func orderOfAttributesAndDurabilityDoNotMatter() throws {
    let (x, y) = (requests.set("x", .int(1)), requests.increment("y", .double(2)))
    let update = requests.update("a/b/1", [x, y], key: "k")
    let first = try meaning(update)
    #expect(try meaning([y, x]) == first)
    for level in [TWIND__V1__DURABILITY__DURABILITY_MEMORY, TWIND__V1__DURABILITY__DURABILITY_SYNCED] {
      update.pointee.durability = level
      #expect(try meaning(update) == first)
    }
    let other = requests.update("a/b/2", [x])
    let batch = requests.batch([requests.update("a/b/1", [x, y]), other], key: "k")
    let same = requests.batch([requests.update("a/b/1", [y, x]), other], key: "k")
    same.pointee.durability = TWIND__V1__DURABILITY__DURABILITY_SYNCED
    let turned = requests.batch([other, requests.update("a/b/1", [x, y])], key: "k")
    func hash(_ batch: UnsafeMutablePointer<Twind__V1__BatchUpdateTwinsRequest>) throws -> UInt64 {
      RequestHash.meaning(of: try Command(batch: batch, agent: agent))
    }
    let hashes = try [hash(batch), hash(same), hash(turned)]
    // The result names the twins' revisions in their order.
    #expect(hashes[0] == hashes[1] && hashes[0] != hashes[2])
  }

  @Test func allElseDoes() throws {
    let values: [Literal] = [
      .string("1"), .string(""), .int(1), .int(0), .double(1), .bool(true), .bytes([1]), .bytes([]), .timestamp(1),
      .json("1"), .json("[1]"), .list([]), .list([.int(1)]), .list([.int(1), .int(2)]), .list([.string("1")]),
    ]
    var hashes = try values.map { try meaning([requests.set("x", $0)]) }
    hashes += try [
      [requests.set("y", .int(1))], [requests.set("x", .int(2))], [requests.increment("x", .int(1))],
      [requests.remove("x")], [requests.set("x", .int(1), from: 1)], [requests.set("x", .int(1), from: 1, to: 2)],
      [requests.set("x", .int(1), to: 2)], [requests.set("x", .int(1), confidence: 0.5)],
      [requests.set("x", .int(1), evidence: "e")], [requests.set("x", .int(1)), requests.set("y", .int(1))], [],
    ].map { try meaning($0) }
    hashes.append(try meaning([requests.set("x", .int(1))], expected: 0))
    hashes.append(try meaning([requests.set("x", .int(1))], expected: 1))
    hashes.append(try meaning([requests.set("x", .int(1))], mustNotExist: true))
    hashes.append(try meaning([requests.set("x", .int(1))], purpose: "p"))
    hashes.append(try meaning(requests.update("a/b/2", [requests.set("x", .int(1))], key: "k")))
    let alone = requests.update("a/b/1", [requests.set("x", .int(1))])
    hashes.append(RequestHash.meaning(of: try Command(batch: requests.batch([alone], key: "k"), agent: agent)))
    hashes.append(RequestHash.meaning(of: try Command(delete: requests.delete("a/b/1", key: "k"), agent: agent)))
    #expect(Set(hashes).count == hashes.count)
  }

  @Test func onlyWhatHasAKeyIsHashed() throws {
    let change = requests.set("x", .int(1))
    let plain = try Command(update: requests.update("a/b/1", [change]), agent: agent)
    let keyed = try Command(update: requests.update("a/b/1", [change], key: "k"), agent: agent)
    withBytes([1, 2, 3]) { payload in
      #expect(RequestHash(plain, method: "UpdateTwin", payload: payload) == .none)
      let hash = RequestHash(keyed, method: "UpdateTwin", payload: payload)
      // As this version stores it, and as 0.1 did.
      #expect(hash.matches(hash.meaning) && hash.matches(self.hash("UpdateTwin", [1, 2, 3])) && !hash.matches(1))
    }
  }
}
