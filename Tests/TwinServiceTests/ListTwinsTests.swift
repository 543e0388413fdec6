import TTRPC
import Testing
import TwinClient

@Suite struct ListTwinsTests {
  let fixture: ServiceFixture
  var twind: TwindClient { fixture.twind }

  init() throws {
    fixture = try ServiceFixture()
    for id in 10..<35 { try fixture.twind.update("acme/customer/\(id)", [.set("id", .int(Int64(id)))]) }
    try fixture.twind.update("acme/household/1", [.set("id", .int(1))])
    try fixture.twind.update("zeta/customer/1", [.set("id", .int(1))])
  }

  private func names(_ prefix: String, pageSize: Int) throws -> [String] {
    var names: [String] = []
    var token = ""
    repeat {
      let page = try twind.list(prefix: prefix, pageSize: pageSize, pageToken: token, namesOnly: true)
      names += page.twins.map(\.name)
      token = page.nextPageToken
    } while !token.isEmpty
    return names
  }

  @Test(arguments: [1, 7, 25, 1000]) func pagesInNameOrder(pageSize: Int) throws {
    let expected = (10..<35).map { "acme/customer/\($0)" }
    #expect(try names("acme/customer/", pageSize: pageSize) == expected)
    #expect(try names("acme/", pageSize: pageSize) == expected + ["acme/household/1"])
    #expect(try names("acme/customer/2", pageSize: pageSize) == (20..<30).map { "acme/customer/\($0)" })
    #expect(try names("", pageSize: pageSize).count == 27)
  }

  @Test func aTokenStaysGoodAcrossWrites() throws {
    let first = try twind.list(prefix: "acme/customer/", pageSize: 5)
    try twind.delete(first.twins[4].name)
    try twind.update("acme/customer/100", [.set("id", .int(100))])
    _ = try fixture.store.checkpoint()
    let rest = try twind.list(prefix: "acme/customer/", pageSize: 100, pageToken: first.nextPageToken)
    #expect(rest.twins.map(\.name) == (15..<35).map { "acme/customer/\($0)" })
  }

  @Test func namesOnlyLeavesAttributesOut() throws {
    let twin = try twind.list(prefix: "zeta/", namesOnly: true).twins[0]
    #expect(twin.attributes.isEmpty && twin.revision == 27)
  }

  @Test func badPrefixTokenAndSize() throws {
    #expect(code { _ = try twind.list(prefix: "acme") } == .invalidArgument)
    #expect(code { _ = try twind.list(prefix: "acme/", pageToken: "zeta/customer/1") } == .invalidArgument)
    #expect(code { _ = try twind.list(prefix: "acme/", pageSize: 1001) } == .invalidArgument)
    #expect(code { _ = try twind.list(prefix: "acme/", pageSize: -1) } == .invalidArgument)
  }
}
