import TTRPC
import Testing
import TwinClient
import TwinStore

/// ExportFacts while others write, and while retention drops facts.
@Suite struct ExportFactsTests {
  private struct Exported {
    var twins: [(name: String, keptFrom: Int64?, facts: [Fact])] = []
    var sequence: UInt64 = 0
    var total: (twins: UInt64, facts: UInt64)?

    mutating func add(_ part: ExportPart) {
      for twin in part.twins {
        // Names are the same when their bytes are.
        if twins.last.map({ Array($0.name.utf8) }) == Array(twin.name.utf8) {
          twins[twins.count - 1].facts += twin.facts
        } else {
          twins.append((twin.name, twin.keptFrom, twin.facts))
        }
      }
      sequence = part.sequence
      total = part.total
    }

    subscript(name: String) -> (name: String, keptFrom: Int64?, facts: [Fact])? { twins.first { $0.name == name } }
  }

  /// Enough facts about a first twin that an export waits for its reader there.
  private func fill(_ twind: TwindClient) throws {
    for number in 0..<100 {
      try twind.update("acme/customer/1", [.set("a", .string(String(repeating: "x", count: 50_000) + "\(number)"))])
    }
  }

  private func write(_ twind: TwindClient, _ name: String, _ count: Int) throws {
    for number in 0..<count { try twind.update(name, [.set("n", .int(Int64(number)))]) }
  }

  private var retaining: Store.Options {
    var options = Store.Options.small
    options.retention.rules["beta"] = .newest(2)
    return options
  }

  @Test func itIsWhatListFactsHas() throws {
    let fixture = try ServiceFixture()
    let names = ["acme/a/1", "acme/a/2", "beta/a/Jos\u{e9}", "beta/a/Jose\u{301}"]
    for name in names { try write(fixture.twind, name, 200) }
    _ = try fixture.twind.checkpoint()
    try fixture.twind.delete(names[1])
    for (prefix, wanted) in [("", names), ("acme/", Array(names[..<2])), ("zeta/", [])] {
      var exported = Exported()
      let stream = try fixture.twind.exportFacts(prefix: prefix)
      while let part = try stream.next() { exported.add(part) }
      #expect(exported.sequence == 801)
      #expect(
        exported.twins.map { Array($0.name.utf8) }
          == wanted.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
      for twin in exported.twins { #expect(try fixture.twind.facts(of: twin.name).all().facts == twin.facts) }
      #expect(exported.total?.twins == UInt64(wanted.count))
      #expect(exported.total?.facts == UInt64(exported.twins.reduce(0) { $0 + $1.facts.count }))
    }
    #expect(code { _ = try fixture.twind.exportFacts(prefix: "acme").next() } == .invalidArgument)
    #expect(code { _ = try fixture.client(uid: 4711).exportFacts().next() } == .permissionDenied)
  }

  @Test func whatIsWrittenMeanwhileIsNotInIt() throws {
    let fixture = try ServiceFixture()
    try fill(fixture.twind)
    try write(fixture.twind, "gamma/customer/1", 10)
    var exported = Exported()
    let stream = try fixture.twind.exportFacts()
    exported.add(try #require(try stream.next()))
    try write(fixture.twind, "gamma/customer/1", 10)
    try write(fixture.twind, "gamma/customer/2", 10)
    try fixture.twind.delete("acme/customer/1")
    _ = try fixture.twind.checkpoint()
    while let part = try stream.next() { exported.add(part) }
    #expect(exported.sequence == 110)
    #expect(exported.twins.map(\.facts.count) == [100, 10])
  }

  @Test func aTwinThatWasShortenedMeanwhileHasAllThatIsLeft() throws {
    let fixture = try ServiceFixture(options: retaining)
    try fill(fixture.twind)
    try write(fixture.twind, "beta/customer/1", 10)
    var exported = Exported()
    let stream = try fixture.twind.exportFacts()
    exported.add(try #require(try stream.next()))
    try write(fixture.twind, "beta/customer/1", 10)
    for _ in 0..<3 { _ = try fixture.twind.checkpoint() }
    while let part = try stream.next() { exported.add(part) }
    let shortened = try #require(exported["beta/customer/1"])
    #expect(shortened.keptFrom != nil)
    #expect(shortened.facts == (try fixture.twind.facts(of: "beta/customer/1").all().facts))
    #expect(shortened.facts.last?.value == .int(9) && shortened.facts.count < 10)
  }

  @Test func aTwinThatIsShortenedWhileItIsSentEndsIt() throws {
    let fixture = try ServiceFixture(options: retaining)
    for number in 0..<100 {
      try fixture.twind.update("beta/b/1", [.set("a", .string(String(repeating: "x", count: 50_000) + "\(number)"))])
    }
    let stream = try fixture.twind.exportFacts()
    _ = try stream.next()
    for _ in 0..<3 { _ = try fixture.twind.checkpoint() }
    let error = failure { while try stream.next() != nil {} }
    #expect(error?.code == .aborted && error?.message.contains("beta/b/1") == true)
  }
}
