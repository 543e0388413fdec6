import Testing
import TwinText

@Suite struct NearestNameTests {
  @Test(arguments: [
    ("gte", "get"), ("gett", "get"), ("histroy", "history"), ("wach", "watch"), ("lst", "list"), ("get", "get"),
    ("expected", nil), ("x", nil), ("", nil),
  ])
  func ofACommand(_ name: String, _ nearest: String?) {
    #expect(NearestName.of(name, in: ["get", "set", "history", "watch", "list", "import"]) == nearest)
  }

  @Test func amongNone() { #expect(NearestName.of("get", in: []) == nil) }
}
