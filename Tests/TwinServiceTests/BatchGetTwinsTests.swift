import TTRPC
import Testing
import TwinClient

@Suite struct BatchGetTwinsTests {
  @Test func resultsInTheOrderAsked() throws {
    let fixture = try ServiceFixture()
    for id in ["a", "b", "c"] { try fixture.twind.update("acme/customer/\(id)", [.set("id", .string(id))]) }
    let reply = try fixture.twind.get(many: ["acme/customer/c", "acme/customer/x", "acme/customer/a"])
    #expect(reply.results.map(\.name) == ["acme/customer/c", "acme/customer/x", "acme/customer/a"])
    #expect(try reply.results[0].result.get()["id"] == .string("c"))
    #expect(throws: RPCError.self) { try reply.results[1].result.get() }
    #expect(try reply.results[2].result.get()["id"] == .string("a"))
    #expect(reply.sequence == 3)
  }

  @Test func namesAreCountedAndUnique() throws {
    let fixture = try ServiceFixture()
    #expect(code { _ = try fixture.twind.get(many: []) } == .invalidArgument)
    #expect(code { _ = try fixture.twind.get(many: ["a/b/c", "a/b/c"]) } == .invalidArgument)
    let many = (0...256).map { "acme/customer/\($0)" }
    let error = failure { _ = try fixture.twind.get(many: many) }
    #expect(error?.code == .invalidArgument && error?.details.first?.typeURL.hasSuffix("LimitDetail") == true)
  }

  @Test func aFullReplySaysWhatToAskForAgain() throws {
    let fixture = try ServiceFixture()
    let names = (0..<8).map { "acme/customer/\($0)" }
    let text = String(repeating: "x", count: 60_000)
    for name in names {
      for index in 0..<15 { try fixture.twind.update(name, [.set("a\(index)", .string(text))]) }
    }
    let results = try fixture.twind.get(many: names).results
    let missing = results.filter { (_, result) in
      if case .failure(let error) = result { return error.code == .resourceExhausted }
      return false
    }
    #expect(results.count == 8 && missing.count == 4)
  }
}
