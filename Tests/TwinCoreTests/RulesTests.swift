import Testing
import TwinCore
import TwinFixtures

/// What a view shows of an image, against the rule in one sentence: an attribute is hidden when a denial that names it
/// is for this kind, agent and purpose, and concerns this twin.
@Suite struct RulesTests {
  private static let names = ["a", "a.b", "a.b.c", "ab", "b", "b.c", "minor"]
  private static let agents = ["support", "sales"]
  private static let purposes = ["", "service", "marketing"]

  /// A denial in words, for the reference to read.
  private struct Told {
    let kind: String
    let attributes: [String]
    let agent: String?
    let purpose: String?
    let onlyMinors: Bool

    init(_ random: inout SeededGenerator) {
      kind = random.chance(3, of: 4) ? "customer" : "order"
      let count = Int.random(in: 1...2, using: &random)
      attributes = (0..<count).map { _ in RulesTests.names.randomElement(using: &random)! }
      agent = random.chance(1, of: 2) ? nil : RulesTests.agents.randomElement(using: &random)
      purpose = random.chance(1, of: 2) ? nil : RulesTests.purposes.randomElement(using: &random)
      onlyMinors = random.chance(1, of: 3)
    }

    var compiled: Denial {
      Denial(
        kind: Array(kind.utf8), attributes: AttributeMask(names: attributes.map { Array($0.utf8) }),
        agent: agent.map { Array($0.utf8) }, purpose: purpose.map { Array($0.utf8) },
        concerns: { [onlyMinors] twin in !onlyMinors || RulesTests.has("minor", twin) })
    }

    func hides(_ attribute: String, of twin: TwinImage, from agent: String, _ purpose: String) -> Bool {
      kind == "customer" && (self.agent ?? agent) == agent && (self.purpose ?? purpose) == purpose
        && (!onlyMinors || RulesTests.has("minor", twin))
        && attributes.contains { attribute == $0 || attribute.hasPrefix($0 + ".") }
    }
  }

  private static func has(_ attribute: String, _ twin: TwinImage) -> Bool {
    withBytes(attribute) { twin.find($0) } != nil
  }

  private static func twin(_ random: inout SeededGenerator) throws -> TwinImage {
    let scene = Scene("acme/customer/1")
    var names = Self.names.filter { _ in random.chance(2, of: 3) }
    if names.isEmpty { names = ["b"] }
    try scene.update(names.map { scene.requests.set($0, .int(1)) })
    return try #require(scene.image)
  }

  private static func shown(_ image: TwinImage, _ sight: Sight) -> [String] {
    image.entries.filter { sight.shows($0.classBits) }.map { String(decoding: image.name($0), as: UTF8.self) }
  }

  /// A view of older rules must not show what they showed: it is a view of the agent and the purpose, whatever the rules.
  @Test func agreesWithTheRuleInOneSentence() throws {
    var random = SeededGenerator(20_261_201)
    var hidden = 0
    for stamp in UInt64(1)...2_000 {
      let image = try Self.twin(&random)
      let told = (0..<Int.random(in: 0...4, using: &random)).map { _ in Told(&random) }
      let rules = Rules(stamp: stamp, told.map(\.compiled))
      let classified = image.classified(by: rules)
      let agent = Self.agents.randomElement(using: &random)!
      let purpose = Self.purposes.randomElement(using: &random)!
      let expected = Self.names.filter { name in
        Self.has(name, image) && !told.contains { $0.hides(name, of: image, from: agent, purpose) }
      }.sorted()
      let before = Rules(stamp: stamp - 1, (0..<2).map { _ in Told(&random).compiled })
      for rulesOfView in [rules, before, Rules.none] {
        let view = rulesOfView.view(agent: Array(agent.utf8), purpose: Array(purpose.utf8))
        #expect(Self.shown(classified, rules.sight(of: classified, in: view)).sorted() == expected)
      }
      #expect(Self.shown(classified, rules.sight(of: classified, in: .unlimited)).count == image.entries.count)
      hidden += image.entries.count - expected.count
    }
    #expect(hidden > 1_000, "too little was hidden to prove anything")
  }

  /// 31 denials and the ordinary class are the 32 bits of a class mask.
  @Test func eachOfTheMostDenialsHasAClassOfItsOwn() throws {
    let scene = Scene("acme/customer/1")
    let names = (0..<Rules.denialsPerKindMax).map { "n\($0)" } + ["other"]
    try scene.update(names.map { scene.requests.set($0, .int(1)) })
    let denials = names.dropLast().map {
      Denial(kind: Array("customer".utf8), attributes: AttributeMask(names: [Array($0.utf8)]))
    }
    let classified = try #require(scene.image).classified(by: Rules(stamp: 1, denials))
    #expect(Set(classified.entries.map(\.classBits)).count == names.count)
    #expect(classified.entries.reduce(0) { $0 | $1.classBits } == ~0)
  }
}
