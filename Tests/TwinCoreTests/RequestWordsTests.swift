import Testing
import TwinCore
import TwinFixtures

@Suite struct RequestWordsTests {
  @Test(arguments: ["a", "email", "address.city", "a1.b_2.c", String(repeating: "a", count: 63)])
  func attributeNameAccepted(_ name: String) throws { try withBytes(name) { try checkAttributeName($0) } }

  @Test(arguments: [
    "", ".", "a.", ".a", "a..b", "A", "1a", "_a", "a-b", "é", "a b", String(repeating: "a", count: 64),
    String(repeating: "a.", count: 63) + "aa", "a." + String(repeating: "a", count: 64),
  ])
  func attributeNameRefused(_ name: String) {
    #expect(throws: TwinError.self) { try withBytes(name) { try checkAttributeName($0) } }
  }

  @Test(arguments: ["", "support", "fraud-check_2"])
  func purposeAccepted(_ purpose: String) throws { try withBytes(purpose) { try checkPurpose($0) } }

  @Test(arguments: ["Support", "2x", "-a", "a b", String(repeating: "a", count: 64)])
  func purposeRefused(_ purpose: String) {
    #expect(throws: TwinError.self) { try withBytes(purpose) { try checkPurpose($0) } }
  }

  @Test func agents() throws {
    try withBytes("support-agent") { try checkAgent($0) }
    for agent in ["", "a\nb", String(repeating: "a", count: 129)] {
      #expect(throws: TwinError.self) { try withBytes(agent) { try checkAgent($0) } }
    }
  }
}
