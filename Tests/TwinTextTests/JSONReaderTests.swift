// JSON as RFC 8259 has it, and nothing else.

import Testing
import TwinText

@Suite struct JSONReaderTests {
  private func skipped(_ text: String) throws -> String {
    var reader = JSONReader(Array(text.utf8))
    let value = try reader.skip()
    try reader.finish()
    return value.text
  }

  @Test(arguments: [
    "{}", "[]", "0", "-0", "-1.5e+10", "1E5", "\"\"", "true", "false", "null", "[1,[2,{\"a\":null}]]",
    "{\"a\" : [ 1 ,\t2 ] }", "\"\\u00e9\\n\\\"\"", "\"\\ud800\"", "\"é\"",
  ])
  func skipsAndKeeps(_ text: String) throws {
    #expect(try skipped(text) == text)
    #expect(try skipped(" \n\(text)\r\t") == text)
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01", "-", "1.", ".5",
    "1e", "+1", "--1", "nul", "True", "tru", "\"", "\"a", "\"\\", "\"a\nb\"", "[1]]", "{} {}", "NaN", "'a'", "[1}",
  ])
  func refuses(_ text: String) {
    #expect(throws: JSONFault.self) { try skipped(text) }
  }

  @Test(arguments: [
    ("\"a\"", "a"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t"), ("\"\\u0041\\u00E9\"", "Aé"),
    ("\"\\ud83d\\ude00\"", "😀"), ("\"😀\"", "😀"),
  ])
  func readsStrings(_ json: String, _ text: String) throws {
    var reader = JSONReader(Array(json.utf8))
    #expect(try reader.string() == text)
  }

  @Test(arguments: [
    "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ude00\"", "\"\\ud83d\\u0041\"", "\"\\u12g4\"", "\"\\x\"", "\"\\u+123\"",
  ])
  func refusesHalfCharacters(_ json: String) {
    var reader = JSONReader(Array(json.utf8))
    #expect(throws: JSONFault.self) { try reader.string() }
  }

  @Test func refusesWhatIsNotUTF8() {
    var reader = JSONReader([0x22, 0xff, 0x22])
    #expect(throws: JSONFault.self) { try reader.string() }
  }

  @Test func numbersStayAsTheyWere() throws {
    var reader = JSONReader(Array("[9223372036854775807,-0.10e-5]".utf8))
    var numbers: [String] = []
    try reader.array { numbers.append(try $0.number()) }
    #expect(numbers == ["9223372036854775807", "-0.10e-5"])
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try skipped(nested(72)) == nested(72))
    #expect(throws: JSONFault.self) { try skipped(nested(73)) }
    #expect(throws: JSONFault.self) { try skipped(nested(100_000)) }
  }

  @Test func objectsWrittenAreRead() throws {
    let text = "\u{0}\u{1f}\u{7f}\u{9b}\"\\/é😀\n\r\t"
    var object = JSONObject()
    object.add("a\"b", text)
    #expect(!object.text.unicodeScalars.contains { $0.value < 0x20 || 0x7f...0x9f ~= $0.value })
    var reader = JSONReader(Array(object.text.utf8))
    var members: [String: String] = [:]
    try reader.object { (reader, name) in members[name] = try reader.string() }
    #expect(members == ["a\"b": text])
  }
}
