import Testing
import TwinFixtures
import TwinStore

@Suite struct RequestHashTests {
  private func hash(_ method: StaticString, _ payload: [UInt8]) -> UInt64 {
    withBytes(payload) { RequestHash.of(method: method, payload: $0) }
  }

  @Test func isStable() {
    // Written down once: a stored hash must be met again after any restart and any upgrade.
    #expect(hash("UpdateTwin", Array("payload of a request".utf8)) == 14_538_100_431_803_712_438)
  }

  @Test func tellsRequestsApart() {
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
}
