import Testing
import TwinClient
import TwinText

@Suite struct FactLineTests {
  private func line(_ change: Fact.Change, _ attribute: String = "plan", to: Int64? = nil, ordinal: UInt32? = 1)
    -> String
  {
    Fact(
      attribute, change, validFrom: 1_000_000, validTo: to, recordedAt: 2_000_000, agent: "a\"b", confidence: 0.5,
      evidence: "t:1", purpose: "sales", sequence: 7, ordinal: ordinal
    ).json.text
  }

  private let rest =
    #""valid_from":"1970-01-01T00:00:01Z","recorded_at":"1970-01-01T00:00:02Z","agent":"a\"b","confidence":0.5,"#
    + #""evidence":"t:1","purpose":"sales"}"#

  @Test func allOfIt() {
    #expect(
      line(.set(.string("pro")))
        == #"{"sequence":7,"ordinal":1,"attribute":"plan","kind":"string","value":"pro","# + rest)
    #expect(
      line(.increment(.int(3), by: .int(-1)), ordinal: nil)
        == #"{"sequence":7,"attribute":"plan","kind":"int","value":3,"increment":-1,"# + rest)
    #expect(line(.removal) == #"{"sequence":7,"ordinal":1,"attribute":"plan","removed":true,"# + rest)
    #expect(line(.deletion, "") == #"{"sequence":7,"ordinal":1,"deleted":true,"# + rest)
  }

  @Test func jsonThatIsNoLine() {
    #expect(line(.set(.json("[1,\n2]"))).contains(#""kind":"json","text":"[1,\n2]","#))
    #expect(
      line(.set(.json("[1,2]")), to: 3_000_000).contains(
        #""value":[1,2],"valid_from":"1970-01-01T00:00:01Z","valid_to":"1970-01-01T00:00:03Z","#))
  }
}
