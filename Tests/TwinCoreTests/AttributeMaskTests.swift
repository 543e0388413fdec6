import Testing
import TwinCore
import TwinFixtures

@Suite struct AttributeMaskTests {
  private func mask(_ names: [String]) throws(TwinError) -> AttributeMask {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    return try AttributeMask(requests.array(names.map(requests.text)), count: names.count)
  }

  @Test func noNamesCoverAll() throws {
    #expect(AttributeMask.all.isAll)
    #expect(withBytes("anything") { AttributeMask.all.covers($0) })
    #expect(try mask([]).isAll)
  }

  @Test func aNameCoversItselfAndWhatIsBelow() throws {
    let mask = try mask(["address", "name.first"])
    for (name, isCovered) in [
      ("address", true), ("address.city", true), ("address.city.code", true), ("address2", false),
      ("addres", false), ("address_city", false), ("name", false), ("name.first", true), ("name.last", false),
      ("a", false), ("zzz", false),
    ] {
      #expect(withBytes(name) { mask.covers($0) } == isCovered, "\(name)")
    }
  }

  @Test func agreesWithTheObviousRule() throws {
    var random = SystemRandomNumberGenerator()
    func name() -> String {
      (0..<Int.random(in: 1...3, using: &random)).map { _ in ["a", "ab", "b", "a_", "a0"].randomElement()! }
        .joined(separator: ".")
    }
    for _ in 0..<500 {
      let names = (0..<Int.random(in: 1...6)).map { _ in name() }
      let mask = try mask(names)
      for _ in 0..<20 {
        let asked = name()
        let isCovered = names.contains { asked == $0 || asked.hasPrefix($0 + ".") }
        #expect(withBytes(asked) { mask.covers($0) } == isCovered, "\(asked) in \(names)")
      }
    }
  }

  @Test func badNamesAreRefused() {
    #expect(throws: TwinError.self) { try mask(["email", "E-Mail"]) }
    #expect(throws: TwinError.self) { try mask(Array(repeating: "a", count: Limits.maskNamesMax + 1)) }
  }
}
