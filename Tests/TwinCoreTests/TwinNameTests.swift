import Testing
import TwinCore
import TwinFixtures

@Suite struct TwinNameTests {
  private func failure(_ name: [UInt8]) -> TwinError? {
    withBytes(name) { bytes in
      do throws(TwinError) {
        _ = try TwinName(bytes)
        return nil
      } catch {
        return error
      }
    }
  }

  private func failure(_ name: String) -> TwinError? { failure(Array(name.utf8)) }

  @Test(arguments: [
    "a/b/c", "acme/customer/42", "a-1/b-2/Ünïcode id!", "a/b/" + String(repeating: "x", count: 200),
    String(repeating: "a", count: 63) + "/b/c", "a/b/caf\u{e9}", "a/b/e\u{301}", "a/b/👩‍👩‍👧",
  ])
  func accepted(_ name: String) { #expect(failure(name) == nil) }

  @Test(arguments: [
    ("", "empty"), ("acme", "space/kind/id"), ("acme/customer", "space/kind/id"), ("acme/customer/", "empty"),
    ("/customer/1", "space"), ("acme//1", "kind"), ("Acme/customer/1", "\"Acme\""), ("1a/b/c", "\"1a\""),
    ("a_b/b/c", "\"a_b\""), ("a/B/c", "\"B\""), ("a/b/c/d", "contains a slash"), ("a/b/c\n", "control"),
    ("a/b/c\u{7f}", "control"), ("a/b/c\u{85}", "control"), (String(repeating: "a", count: 64) + "/b/c", "space"),
    ("a/b/" + String(repeating: "x", count: 201), "201"),
  ])
  func refused(_ name: String, _ word: String) throws {
    let error = try #require(failure(name))
    #expect(error.code == .invalidArgument)
    #expect(error.message.contains(word), "\(error)")
  }

  @Test func badUTF8IsRefusedAndEscaped() throws {
    let error = try #require(failure(Array("a/b/".utf8) + [0xc3, 0x28]))
    #expect(error.message.contains("UTF-8"))
    #expect(error.message.contains("\\xc3("))
    #expect(failure(Array("a/b/c".utf8) + [0]) != nil)
  }

  @Test func bothSpellingsOfAnAccentAreTwoNames() throws {
    let composed = "a/b/\u{e9}"
    let decomposed = "a/b/e\u{301}"
    // Swift's strings take them for one, which is why names are bytes.
    #expect(composed == decomposed)
    try withBytes(composed) { left in
      try withBytes(decomposed) { right in
        let names = [try TwinName(left), try TwinName(right)]
        #expect(names[0] != names[1])
        #expect(Set(names).count == 2)
      }
    }
  }

  @Test func orderIsThatOfBytes() throws {
    let names = ["a/b/1", "a/b/10", "a/b/2", "a/b/Z", "a/b/z", "a/b/é", "a/c/1", "a-/b/1"]
    try withBytes("a/b/1") { one in
      for name in names where name != "a/b/1" {
        try withBytes(name) { other in
          let isBefore = Array("a/b/1".utf8).lexicographicallyPrecedes(Array(name.utf8))
          let (left, right) = (try TwinName(one), try TwinName(other))
          #expect((left < right) == isBefore, "\(name)")
        }
      }
    }
  }

  @Test func space() throws {
    try withBytes("acme/customer/42") { bytes in
      let name = try TwinName(bytes)
      #expect(Array(name.space) == Array("acme".utf8))
    }
  }

  @Test(arguments: ["", "acme/", "acme/customer/", "acme/customer/4", "a/b/é"])
  func prefixAccepted(_ prefix: String) throws { try withBytes(prefix) { try checkPrefix($0) } }

  @Test(arguments: ["acme", "/", "acme/cust", "acme/Cust/", "Acme/", "a/b/c/", "a/b/\u{1}", "a//"])
  func prefixRefused(_ prefix: String) {
    #expect(throws: TwinError.self) { try withBytes(prefix) { try checkPrefix($0) } }
  }
}
