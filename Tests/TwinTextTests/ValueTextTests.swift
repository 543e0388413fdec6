// Values as people write them.

import Testing
import TwinClient
import TwinText

@Suite struct ValueTextTests {
  @Test(arguments: [
    (ValueKind.string, "", Value.string("")), (.string, " a=b ", .string(" a=b ")),
    (.int, "-9223372036854775808", .int(.min)), (.int, "9223372036854775807", .int(.max)),
    (.double, "2.5", .double(2.5)), (.double, "-1e-300", .double(-1e-300)), (.double, "3", .double(3)),
    (.bool, "true", .bool(true)), (.bool, "FALSE", .bool(false)), (.bool, "1", .bool(true)),
    (.bytes, "AAH/", .bytes([0, 1, 255])), (.bytes, "", .bytes([])),
    (.timestamp, "1970-01-01T00:00:00.000001Z", .timestamp(1)),
    (
      .list, "[\"a\",1,2.0,true,{\"bytes\":\"AA==\"},{\"timestamp\":\"1970-01-01\"}]",
      .list([.string("a"), .int(1), .double(2), .bool(true), .bytes([0]), .timestamp(0)])
    ),
    (.list, "[]", .list([])), (.json, " {\"a\" : 1}\n", .json(" {\"a\" : 1}\n")),
  ])
  func parses(_ kind: ValueKind, _ text: String, _ value: Value) throws {
    #expect(try Value(text, as: kind) == value)
  }

  @Test(arguments: [
    (ValueKind.string, "a\0"), (.int, ""), (.int, "1.0"), (.int, "9223372036854775808"), (.int, "0x10"),
    (.double, "inf"), (.double, "nan"), (.double, "1e999"), (.double, "0x1p3"), (.double, " 1"), (.bool, "yes"),
    (.bytes, "***"), (.timestamp, "yesterday"), (.list, "{}"), (.list, "[[1]]"), (.list, "[null]"), (.list, "[1] x"),
    (.list, "[{\"int\":1}]"), (.unknown, "***"), (.list, "[\"a\\u0000\"]"), (.list, "[9223372036854775808]"),
    (.json, "{"), (.json, ""),
  ])
  func refuses(_ kind: ValueKind, _ text: String) {
    #expect(throws: TextFault.self) { try Value(text, as: kind) }
  }
}
