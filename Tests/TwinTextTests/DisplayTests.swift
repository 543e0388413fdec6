// What people see: one line, aligned, harmless.

import Testing
import TwinClient
import TwinText

@Suite struct DisplayTests {
  @Test(arguments: [
    (Value.string("a b"), "a b", "\"a b\""), (.string(""), "", "\"\""), (.string("a"), "a", "a"),
    (.string("a\u{1b}[31m\nb\u{9b}"), "a\\u001b[31m\\nb\\u009b", "a\\u001b[31m\\nb\\u009b"), (.int(-3), "-3", "-3"),
    (.double(2), "2.0", "2.0"), (.bool(true), "true", "true"), (.bytes([0, 1]), "(2 B) AAE=", "(2 B) AAE="),
    (.list([.int(1), .string("x")]), "[1,\"x\"]", "[1,\"x\"]"), (.json("{\n}"), "{\\n}", "{\\n}"),
    (.unknown([0x4a, 0]), "(unknown kind, 2 B)", "(unknown kind, 2 B)"),
    (.list([.unknown([0x38, 5])]), "[{\"unknown\":\"OAU=\"}]", "[{\"unknown\":\"OAU=\"}]"),
  ])
  func values(_ value: Value, _ display: String, _ compact: String) {
    #expect(value.display() == display)
    #expect(value.compact() == compact)
  }

  @Test func longTextsAreCut() {
    #expect(DisplayText.line(String(repeating: "x", count: 10), width: 4) == "xxxx…")
    #expect(DisplayText.line("日本語", width: 4) == "日本…")
    #expect(DisplayText.line("abc", width: 3) == "abc")
  }

  @Test(arguments: [("abc", 3), ("日本", 4), ("é", 1), ("e\u{301}", 1), ("😀", 2), ("", 0)])
  func columns(_ text: String, _ count: Int) {
    #expect(DisplayText.columnCount(text) == count)
  }

  @Test func tablesAreAligned() {
    var table = Table([.init("NAME"), .init("N", .right), .init("NOTE")], indent: 1)
    table.add(["日本", "5", "x"])
    table.add(["a", "1234", ""])
    #expect(table.text() == " NAME     N  NOTE\n 日本     5  x\n a     1234  \n")
    #expect(table.text(header: nil) == " 日本     5  x\n a     1234  \n")
  }

  @Test func theLastColumnOfATableIsCut() {
    var table = Table([.init("NAME"), .init("NOTE")], indent: 1)
    table.add(["a", String(repeating: "x", count: 40)])
    table.add(["b", String(repeating: "日", count: 20)])
    table.add(["c", "short"])
    let lines = table.text(width: 40).split(separator: "\n").map { DisplayText.columnCount(String($0)) }
    #expect(lines == [11, 40, 40, 12])
    // Whatever the others take, it has room for something.
    table.add([String(repeating: "n", count: 60), "x"])
    #expect(table.text(width: 40).contains(String(repeating: "x", count: 19) + "…"))
  }

  @Test func rightToLeftOverridesAreShown() {
    #expect(DisplayText.line("a\u{202e}b") == "a\\u{202e}b")
  }

  @Test func numbers() {
    #expect(FixedText.format(2.345, places: 2) == "2.35" && FixedText.format(-0.04, places: 1) == "0.0")
    #expect(FixedText.format(1.06, places: 1) == "1.1" && FixedText.format(7, places: 0) == "7")
    #expect(
      FixedText.grouped(0) == "0" && FixedText.grouped(999) == "999" && FixedText.grouped(1_234_567) == "1,234,567")
    #expect(FixedText.bytes(1023) == "1023 B" && FixedText.bytes(1536) == "1.5 KiB")
    #expect(FixedText.count(1, "row") == "1 row" && FixedText.count(1000, "row") == "1,000 rows")
  }

  @Test(arguments: [
    ("250ms", Duration.milliseconds(250)), ("1s", .seconds(1)), ("5m", .seconds(300)), ("2h", .seconds(7200)),
  ])
  func durations(_ text: String, _ duration: Duration) {
    #expect(DurationText.parse(text) == duration)
  }

  @Test(arguments: ["50us", "250ms", "1s", "90s", "1500ms"])
  func durationsThatAreReadBack(_ text: String) {
    #expect(DurationText.parse(text).map { DurationText.format($0) } == text)
  }

  @Test(arguments: ["", "1", "s", "0s", "-1s", "1.5s", "1d", "1 s", "9999999999s"])
  func notDurations(_ text: String) {
    #expect(DurationText.parse(text) == nil)
  }

  @Test(
    arguments: [
      (999, "999 µs"), (1_500, "1.5 ms"), (2_000_000, "2.0 s"), (200_000_000, "3 min 20 s"),
      (7_260_000_000, "2 h 1 min"), (187_200_000_000, "2 d 4 h"),
    ] as [(Int64, String)])
  func durationsForPeople(_ micros: Int64, _ text: String) {
    #expect(DurationText.format(micros: micros) == text)
  }
}
