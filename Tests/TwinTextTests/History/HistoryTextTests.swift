// A fact written as a line of a history comes back the same, to the byte; anything else is refused, with its line.

import Testing
import TwinClient
import TwinText

@Suite struct HistoryTextTests {
  private func entries(_ text: String) throws -> [HistoryReader.Entry] {
    var rest = Array(text.utf8)[...]
    var reader = try HistoryReader { room in
      // Little by little.
      let piece = rest.prefix(min(room.count, 100))
      room.copyBytes(from: piece)
      rest = rest.dropFirst(piece.count)
      return piece.count
    }
    var entries: [HistoryReader.Entry] = []
    while let entry = try reader.next() { entries.append(entry) }
    return entries
  }

  private func fact(_ change: Fact.Change, _ attribute: String = "plan", to: Int64? = nil, ordinal: UInt32 = 0) -> Fact
  {
    Fact(
      attribute, change, validFrom: -1, validTo: to, recordedAt: 1_700_000_000_123_456, agent: "a\"é\n",
      confidence: 1.0 / 3, evidence: "t:1", purpose: "sales", sequence: 1 << 52, ordinal: ordinal)
  }

  private func text(_ facts: [Fact], of name: String = "a/b/c") -> String {
    HistoryText.header(sequence: 9, prefix: "") + facts.map { HistoryText.fact($0, of: name, keptFrom: nil) }.joined()
      + HistoryText.end(twins: facts.isEmpty ? 0 : 1, facts: UInt64(facts.count))
  }

  @Test(arguments: [
    Value.string(""), .string("é\"\\\n😀\u{1}\u{2028}"), .int(.min), .int(.max), .int(0), .double(0), .double(-0.0),
    .double(0.1), .double(1e300), .double(.leastNonzeroMagnitude), .double(3), .bool(true), .bool(false), .bytes([]),
    .bytes(Array(0...255)), .timestamp(0), .timestamp(-1), .timestamp(.min), .timestamp(.max), .list([]),
    .list([.string("a"), .int(1), .double(1), .bool(false), .bytes([1]), .timestamp(5), .timestamp(.max)]),
    .json("{\"a\": [1, 2.50]}"), .json("null"), .json(" {\n\"a\":1}\r\n"), .json("\"\\ud800\""), .json("1e400"),
  ])
  func everyKindComesBack(_ value: Value) throws {
    let written = fact(.set(value), to: .max)
    let entry = try #require(try entries(text([written])).first)
    #expect(entry.attribute == written.encoded && entry.line == 2)
    #expect(entry.sequence == 1 << 52 && entry.keptFrom == .min)
  }

  @Test func everyChangeComesBack() throws {
    let written = [
      fact(.increment(.int(3), by: .int(-1))), fact(.increment(.double(2), by: .double(0.5)), ordinal: 1),
      fact(.removal, ordinal: 2), fact(.deletion, "", ordinal: 1_023),
    ]
    let read = try entries(text(written))
    #expect(read.map(\.attribute) == written.map(\.encoded))
    #expect(read.map(\.ordinal) == [0, 1, 2, 1_023])
  }

  @Test func whatIsNotStatedIsNotStated() throws {
    let written = Fact("a", .set(.int(1)), validFrom: 5, recordedAt: 5, agent: "", sequence: 1, ordinal: 0)
    #expect(try entries(text([written])).first?.attribute == written.encoded)
  }

  @Test func keptFromIsOfTheTwinsFactsAlone() throws {
    let lines = [
      HistoryText.fact(fact(.removal), of: "a/b/c", keptFrom: 7),
      HistoryText.fact(fact(.removal), of: "a/b/c", keptFrom: nil),
      HistoryText.fact(fact(.removal), of: "a/b/Jose\u{301}", keptFrom: nil),
      HistoryText.fact(fact(.removal), of: "a/b/Jos\u{e9}", keptFrom: 8),
    ]
    let whole = HistoryText.header(sequence: 9, prefix: "") + lines.joined() + HistoryText.end(twins: 3, facts: 4)
    #expect(try entries(whole).map(\.keptFrom) == [7, 7, .min, 8])
  }

  @Test func everyChangedByteIsFound() throws {
    let whole = Array(text([fact(.set(.int(1))), fact(.removal)]).utf8)
    for index in whole.indices.dropLast() {
      var changed = whole
      changed[index] ^= 1
      let error = #expect(throws: HistoryFault.self) { try entries(String(decoding: changed, as: UTF8.self)) }
      let line = whole[..<index].count { $0 == 0x0a } + 1
      #expect(error?.line == line || whole[index] == 0x0a, "byte \(index): \(String(describing: error))")
    }
  }

  @Test func everyCutIsFound() throws {
    let whole = Array(text([fact(.set(.int(1))), fact(.removal)]).utf8)
    for length in 0..<whole.count - 1 {
      #expect(throws: HistoryFault.self) { try entries(String(decoding: whole[..<length], as: UTF8.self)) }
    }
  }
}
