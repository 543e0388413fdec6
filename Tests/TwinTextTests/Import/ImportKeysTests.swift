// Keys are the same for the same rows of the same file, and for nothing else.

import Testing
import TwinClient
import TwinText

@Suite struct ImportKeysTests {
  private let keys = ImportKeys(file: [1, 2, 3])

  private func record(_ line: Int) throws -> Record {
    var rest = Array(String(repeating: "x\n", count: line).utf8)[...]
    var reader = RecordReader(delimiter: nil) { room in
      let piece = rest.prefix(room.count)
      room.copyBytes(from: piece)
      rest = rest.dropFirst(piece.count)
      return piece.count
    }
    var record = try #require(try reader.next())
    while record.line < line { record = try #require(try reader.next()) }
    return record
  }

  private func batch(_ line: Int, _ name: String, _ changes: [Change]) throws -> ImportBatch {
    ImportBatch([ImportRow(TwinUpdate(name, changes), try record(line))])
  }

  @Test func areShortAndSayTheLine() throws {
    let key = keys.key(try batch(7, "a/b/c", [.set("x", .int(1))]), purpose: "support")
    #expect(key.hasPrefix("import:") && key.hasSuffix(":7") && key.utf8.count <= 64)
    #expect(key == keys.key(try batch(7, "a/b/c", [.set("x", .int(1))]), purpose: "support"))
  }

  @Test func tellAllElseApart() throws {
    let values: [Value] = [
      .int(1), .int(2), .double(1), .string("1"), .string(""), .bool(true), .bytes([1]), .bytes([]), .timestamp(1),
      .json("1"), .json("[1]"), .list([]), .list([.int(1)]), .list([.string("1")]), .list([.int(1), .int(2)]),
    ]
    var changes = values.map { [Change.set("x", $0)] }
    changes += [[.set("y", .int(1))], [.remove("x")], [.increment("x", by: .int(1))]]
    changes += [[.set("x", .int(1)), .set("y", .int(1))], [.set("xx", .string("1"))], [.set("x", .string("x1"))]]
    for alter: (inout Change) -> Void in [
      { $0.validFrom = 5 }, { $0.validTo = 5 }, { $0.confidence = 0.5 }, { $0.evidence = "e" },
    ] {
      var change = Change.set("x", .int(1))
      alter(&change)
      changes.append([change])
    }
    var seen = Set(try changes.map { keys.key(try batch(7, "a/b/c", $0), purpose: "support") })
    seen.insert(keys.key(try batch(8, "a/b/c", [.set("x", .int(1))]), purpose: "support"))
    seen.insert(keys.key(try batch(7, "a/b/d", [.set("x", .int(1))]), purpose: "support"))
    let (one, two) = (try batch(7, "a/b/c", [.set("x", .int(1))]).rows[0], try batch(8, "a/b/d", []).rows[0])
    seen.insert(keys.key(ImportBatch([one, two]), purpose: "support"))
    seen.insert(ImportKeys(file: [1, 2, 4]).key(ImportBatch([one]), purpose: "support"))
    seen.insert(keys.key(ImportBatch([one]), purpose: ""))
    #expect(seen.count == changes.count + 5)
  }
}
