// Rows become updates, or a reason why not.

import Testing
import TwinClient
import TwinText

@Suite struct FlatRowsTests {
  private let rows = FlatRows(space: "acme", kind: "customer", idColumn: "id", types: ["n": .int, "t": .timestamp])

  private func fault(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func csvRows() throws {
    let columns = try CSVColumns(
      ["a", "id", "n", ""], FlatRows(space: "s", kind: "k", idColumn: "id", types: ["n": .int]))
    #expect(
      try columns.update(["x", "7", "3", "?"]) == TwinUpdate("s/k/7", [.set("a", .string("x")), .set("n", .int(3))]))
    #expect(try columns.update(["", "7", "", ""]) == nil)
    #expect(fault { _ = try columns.update(["x", "7", "z", ""]) }.hasPrefix("n: \"z\" is not an int"))
    #expect(fault { _ = try columns.update(["x", "", "1", ""]) }.hasPrefix("id is empty"))
    #expect(fault { _ = try columns.update(["x", "7"]) } == "2 fields, but 4 columns")
  }

  @Test(arguments: [
    (["a", "b"], "there is no column \"id\""), (["id", "n", "t", "n"], "\"n\" appears twice"),
    (["id", "n", "t", "First Name"], "\"First Name\" is not an attribute's name"),
    (["id", "n"], "--types names \"t\""),
  ])
  func badColumns(_ columns: [String], _ reason: String) {
    #expect(fault { _ = try CSVColumns(columns, rows) }.contains(reason))
  }

  @Test func objects() throws {
    let line =
      "{\"n\":\"5\",\"s\":\"x\",\"i\":1,\"d\":1.5,\"b\":true,\"z\":null,\"l\":[1,\"a\"],\"m\":[[1]],\"o\":{\"k\": 1},"
      + "\"t\":\"1970-01-01\",\"id\":42}"
    let update = try #require(try rows.update(Array(line.utf8)))
    #expect(
      update
        == TwinUpdate(
          "acme/customer/42",
          [
            .set("n", .int(5)), .set("s", .string("x")), .set("i", .int(1)), .set("d", .double(1.5)),
            .set("b", .bool(true)), .set("l", .list([.int(1), .string("a")])), .set("m", .json("[[1]]")),
            .set("o", .json("{\"k\": 1}")), .set("t", .timestamp(0)),
          ]))
    #expect(try rows.update(Array("{\"id\":\"1\",\"a\":null,\"n\":null}".utf8)) == nil)
  }

  @Test(arguments: [
    ("{\"a\":1}", "id is missing"), ("{\"id\":true,\"a\":1}", "neither a string nor a number"),
    ("{\"id\":1,\"a\":1,\"a\":2}", "\"a\" appears twice"), ("{\"id\":1,\"A\":1}", "\"A\" is not an attribute's name"),
    ("{\"id\":1,\"n\":\"x\"}", "n: \"x\" is not an int"), ("{\"id\":\"a\\u0000b\",\"a\":1}", "NUL"), ("[]", "object"),
    ("{\"id\":1,\"a\":9223372036854775808}", "not an int"),
  ])
  func badObjects(_ line: String, _ reason: String) {
    #expect(fault { _ = try rows.update(Array(line.utf8)) }.contains(reason))
  }

  @Test func types() throws {
    #expect(try FlatRows.types("a:int,b.c:list") == ["a": .int, "b.c": .list])
    #expect(throws: TextFault.self) { try FlatRows.types("a") }
    #expect(throws: TextFault.self) { try FlatRows.types("a:float") }
    #expect(throws: TextFault.self) { try FlatRows.types("a:int,a:int") }
  }
}
