// Fields of CSV as RFC 4180 has them.

import Testing
import TwinText

@Suite struct CSVFieldsTests {
  private func fields(_ text: String, _ delimiter: Character = ",", trims: Bool = false) throws -> [String] {
    try CSVFields.parse(Array(text.utf8), delimiter: delimiter.asciiValue!, trims: trims)
  }

  @Test(arguments: [
    ("a,b", ["a", "b"]), ("a,", ["a", ""]), (",", ["", ""]), ("a", ["a"]), ("\"a,b\",c", ["a,b", "c"]),
    ("\"a\"\"b\"", ["a\"b"]), ("\"\",x", ["", "x"]), ("\"a\nb\"", ["a\nb"]), (" a , b ", [" a ", " b "]),
    ("\"\"\"\"", ["\""]), ("é,日", ["é", "日"]),
  ])
  func parses(_ text: String, _ expected: [String]) throws {
    #expect(try fields(text) == expected)
  }

  @Test func otherDelimiters() throws {
    #expect(try fields("a\tb,c\t", "\t") == ["a", "b,c", ""])
    #expect(try fields("  a   b \"c  d\"  ", " ") == ["a", "b", "c  d"])
  }

  @Test func blanksAroundFields() throws {
    #expect(try fields(" a , b\t,\t\" c \" ,, ", trims: true) == ["a", "b", " c ", "", ""])
    #expect(try fields(" a \t b ", "\t", trims: true) == ["a", "b"])
    #expect(throws: TextFault("field 1 has text after its closing quote")) { try fields("\"a\" \"b\"", trims: true) }
    #expect(throws: TextFault("field 1 contains a quote: quote the whole field and double the quote")) {
      try fields(" \"a\"")
    }
  }

  @Test(arguments: [
    ("a,b\"c", "field 2 contains a quote"), ("\"a\"b", "field 1 has text after"),
    ("x,\"a", "field 2 has no closing quote"),
    ("a\rb", "carriage return"), ("a\0", "NUL"),
  ])
  func refuses(_ text: String, _ reason: String) {
    #expect {
      try fields(text)
    } throws: { error in
      "\(error)".contains(reason)
    }
  }

  @Test func refusesWhatIsNotUTF8() {
    #expect(throws: TextFault("field 1 is not UTF-8")) { try CSVFields.parse([0xff], delimiter: 0x2c) }
  }
}
