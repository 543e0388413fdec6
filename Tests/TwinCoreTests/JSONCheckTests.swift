import Testing
import TwinCore
import TwinFixtures

/// Through a set, which is the only way to it.
@Suite struct JSONCheckTests {
  private func fault(_ json: String) -> TwinError? {
    let scene = Scene()
    return scene.failure([scene.requests.set("j", .json(json))])
  }

  @Test(arguments: [
    "null", "true", "false", "0", "-0", "1.5e-10", "10E+2", "\"\"", "\"a\\u00e9\\n\\/\"", "[]", "{}", " [ 1 , 2 ] ",
    "{\"a\":{\"b\":[1,{}]},\"c\":null}", "\t\r\n{}\n", "[[[[]]]]", "\"é\"", "[{},[],\"x\",-1]",
    String(repeating: "[", count: 64) + String(repeating: "]", count: 64),
  ])
  func accepted(_ json: String) { #expect(fault(json) == nil) }

  @Test(arguments: [
    "", " ", "nul", "nulll", "True", "01", "1.", ".5", "+1", "-", "1e", "1e+", "\"", "\"\\x\"", "\"\\u12g4\"",
    "\"\n\"", "[", "]", "[1,]", "[,1]", "[1 2]", "{", "{}}", "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
    "{\"a\" 1}", "[1}", "{\"a\":1]", "1 2", "// x", "NaN", "Infinity", "'a'", "[\"\\\"]", "\u{feff}1",
    String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
  ])
  func refused(_ json: String) throws {
    let error = try #require(fault(json))
    #expect(error.code == .invalidArgument)
    #expect(error.message.contains("\"j\" is not valid JSON"))
  }

  @Test func theFaultNamesItsPlace() throws {
    #expect(try #require(fault("[1,x]")).message.contains("byte 3"))
    #expect(try #require(fault("[1,")).message.contains("incomplete"))
    #expect(try #require(fault(String(repeating: "[", count: 60_000))).message.contains("64 levels"))
  }
}
