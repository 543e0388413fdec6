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
    #expect(fault { _ = try columns.update(["x", "", "1", ""]) }.hasPrefix("id, the id of the twin, is empty"))
    #expect(fault { _ = try columns.update(["x", "7"]) } == "the row has 2 fields, but there are 4 columns")
  }

  @Test(arguments: [
    (["a", "b"], "there is no column \"id\""), (["id", "n", "t", "n"], "\"n\" appears twice"),
    (["id", "n"], "there is no column \"t\" for --types"),
    (
      ["id", "n", "t", "First Name"],
      "\"First Name\" is not a valid attribute name: use --map \"First Name=first_name\", or --columns"
    ),
    (
      ["id", "n", "t", "First Name", "E-Mail", "日本"],
      "--map \"First Name=first_name\" --map \"E-Mail=e_mail\" --map \"日本=NAME\", or --columns"
    ),
    (["ID", "n", "t"], "there is no column \"id\" for --id-column: did you mean \"ID\"?"),
    (["id", "id", "n", "t"], "the column \"id\" appears twice"),
  ])
  func badColumns(_ columns: [String], _ reason: String) {
    #expect(fault { _ = try CSVColumns(columns, rows) }.contains(reason))
  }

  /// What options say of a file's columns.
  private func rows(
    _ types: [String: ValueKind] = [:], _ attributes: [String: String], increments: Set<String> = [],
    validFrom: String? = nil
  ) throws -> FlatRows {
    var rows = FlatRows(space: "s", kind: "k", idColumn: "No", types: types)
    rows.attributes = attributes
    rows.increments = increments
    rows.validFromColumn = validFrom
    rows.timeFormat = try TimeFormat("%d.%m.%Y")
    return rows
  }

  @Test func columnsWithOtherNames() throws {
    let day: Int64 = 86_400_000_000
    let rows = try rows(["Seen": .timestamp], ["First Name": "name", "Seen": "seen", "Notes": ""], validFrom: "From")
    let columns = try CSVColumns(["First Name", "No", "Seen", "From", "Notes"], rows)
    var expected = [Change.set("name", .string("Ann")), .set("seen", .timestamp(day))]
    for place in expected.indices { expected[place].validFrom = 2 * day }
    #expect(try columns.update(["Ann", "7", "02.01.1970", "03.01.1970", "x"]) == TwinUpdate("s/k/7", expected))
    #expect(try columns.update(["Ann", "7", "", "", "x"]) == TwinUpdate("s/k/7", [.set("name", .string("Ann"))]))
    let wrongTime = fault { _ = try columns.update(["", "7", "1970-01-02", "", ""]) }
    #expect(wrongTime == "Seen: \"1970-01-02\" is not a timestamp: --time-format says \"%d.%m.%Y\"")
    let epoch = fault { _ = try columns.update(["Ann", "7", "", "01.01.1970", ""]) }
    #expect(epoch == "From: \"01.01.1970\" is the Unix epoch itself, which is not supported: write a microsecond later")
    let line =
      "{\"No\":7,\"First Name\":\"Ann\",\"Seen\":\"02.01.1970\",\"From\":\"03.01.1970\",\"Notes\":[]}"
    #expect(try rows.update(Array(line.utf8)) == TwinUpdate("s/k/7", expected))
  }

  @Test func increments() throws {
    let rows = try rows(
      ["Spent": .double], ["Spent": "spent", "Visits": "visits"], increments: ["Spent", "Visits"])
    let columns = try CSVColumns(["No", "Spent", "Visits"], rows)
    let expected = TwinUpdate("s/k/7", [.increment("spent", by: .double(2.5)), .increment("visits", by: .int(-1))])
    #expect(try columns.update(["7", "2.5", "-1"]) == expected)
    #expect(try columns.update(["7", "", ""]) == nil)
    #expect(fault { _ = try columns.update(["7", "", "1.5"]) }.hasPrefix("Visits: \"1.5\" is not an int"))
    #expect(try rows.update(Array("{\"No\":7,\"Spent\":2.5,\"Visits\":-1}".utf8)) == expected)
    let wrong = fault { _ = try rows.update(Array("{\"No\":7,\"Visits\":1.5}".utf8)) }
    #expect(wrong.hasPrefix("Visits: \"1.5\" is not an int"))
  }

  @Test(arguments: [
    (EmptyCell.skip, [Change]()), (.string, [.set("a", .string(""))]), (.remove, [.remove("a"), .remove("n")]),
  ])
  func emptyCells(_ choice: EmptyCell, _ changes: [Change]) throws {
    var rows = FlatRows(space: "s", kind: "k", idColumn: "id", types: ["n": .int])
    rows.emptyCell = choice
    rows.increments = ["i"]
    let columns = try CSVColumns(["id", "a", "n", "i"], rows)
    #expect(try columns.update(["7", "", "", ""])?.changes ?? [] == changes)
  }

  @Test func columnsThatAreTheSameAttribute() {
    var rows = FlatRows(space: "s", kind: "k", idColumn: "id", types: [:])
    rows.attributes = ["A": "a"]
    #expect(
      fault { _ = try CSVColumns(["id", "A", "a"], rows) }
        == "the columns \"A\" and \"a\" set the same attribute: change one with --map")
    rows.attributes = ["B": "b"]
    #expect(fault { _ = try CSVColumns(["id", "a"], rows) }.hasPrefix("there is no column \"B\" for --map"))
  }

  @Test(arguments: [
    ("First Name", "first_name"), ("firstName", "first_name"), ("FIRST-NAME", "first_name"), (" a  b ", "a_b"),
    ("2024", "column_2024"), ("E-Mail (privat)", "e_mail_privat"), ("日本", nil), ("__", nil),
    (String(repeating: "x", count: 200), String(repeating: "x", count: 63)),
  ])
  func suggestedNames(_ text: String, _ name: String?) throws {
    #expect(AttributeName.suggestion(for: text) == name)
    if let name { try AttributeName.check(name) }
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
    ("{\"a\":1}", "id, the id of the twin, is missing"), ("{\"id\":true,\"a\":1}", "must be a string or a number"),
    ("{\"id\":1,\"a\":1,\"a\":2}", "\"a\" appears twice"),
    ("{\"id\":1,\"A\":1}", "\"A\" is not a valid attribute name: use --map \"A=a\""),
    ("{\"id\":1,\"n\":\"x\"}", "n: \"x\" is not an int"), ("{\"id\":\"a\\u0000b\",\"a\":1}", "NUL"), ("[]", "object"),
    ("{\"id\":1,\"a\":9223372036854775808}", "not an int"),
  ])
  func badObjects(_ line: String, _ reason: String) {
    #expect(fault { _ = try rows.update(Array(line.utf8)) }.contains(reason))
  }

  @Test func types() throws {
    #expect(try ColumnOptions.types("a:int,b.c:list") == ["a": .int, "b.c": .list])
    for wrong in ["a", "a:float", "a:int,a:int"] {
      #expect(throws: TextFault.self) { try ColumnOptions.types(wrong) }
    }
  }

  @Test func mappedColumns() throws {
    #expect(
      try ColumnOptions.attributes(["First Name=name", "a=b=c", "x="]) == ["First Name": "name", "a=b": "c", "x": ""])
    for wrong in ["a", "=a", "a=B"] {
      #expect(throws: TextFault.self) { try ColumnOptions.attributes([wrong]) }
    }
    #expect(throws: TextFault.self) { try ColumnOptions.attributes(["a=b", "a=c"]) }
  }
}
