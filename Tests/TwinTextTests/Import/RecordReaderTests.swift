// Records are the same however the file arrives.

import Testing
import TwinText

@Suite struct RecordReaderTests {
  /// A reader of the bytes, so many at a time.
  private func reader(
    _ bytes: [UInt8], delimiter: UInt8? = UInt8(ascii: ","), trims: Bool = false, step: Int = .max
  ) -> RecordReader {
    var rest = bytes[...]
    return RecordReader(delimiter: delimiter, trims: trims) { room in
      let piece = rest.prefix(min(step, room.count))
      room.copyBytes(from: piece)
      rest = rest.dropFirst(piece.count)
      return piece.count
    }
  }

  private func records(_ reader: RecordReader) throws -> [Record] {
    var reader = reader
    var records: [Record] = []
    while let record = try reader.next() { records.append(record) }
    return records
  }

  @Test(arguments: [1, 2, 3, 7, 1000])
  func cutsCSV(_ step: Int) throws {
    let text = "id,a\r\n1,\"x\ny\"\n\n2,\"a\"\"\n\"\"b\"\n3,c\"d\n4,\"\"\n5"
    let records = try records(reader(Array(text.utf8), step: step))
    #expect(records.map(\.text) == ["id,a", "1,\"x\ny\"", "2,\"a\"\"\n\"\"b\"", "3,c\"d", "4,\"\"", "5"])
    #expect(records.map(\.line) == [1, 2, 5, 7, 8, 9])
    #expect(records.allSatisfy { $0.fault == nil })
  }

  @Test(arguments: [1, 2, 1000])
  func cutsLines(_ step: Int) throws {
    let records = try records(reader(Array("{\"a\":\n\n\"b\r\n\"".utf8), delimiter: nil, step: step))
    #expect(records.map(\.text) == ["{\"a\":", "\"b", "\""])
    #expect(records.map(\.line) == [1, 3, 4])
  }

  @Test(arguments: [1, 2, 7, 1000])
  func aQuoteThatDoesNotEndCostsItsLine(_ step: Int) throws {
    let records = try records(reader(Array("a\nb\n1,\"x\r\n2,y\n3,\"\"\n4,\"z".utf8), step: step))
    #expect(records.map(\.text) == ["a", "b", "1,\"x", "2,y", "3,\"\"", "4,\"z"])
    #expect(records.map(\.line) == [1, 2, 3, 4, 5, 6])
    #expect(
      records.map(\.fault) == [
        nil, nil,
        // The quote of line 6 closes it, in the middle of a field.
        TextFault("the quote that opens on line 3 closes in the middle of a field, on line 6: continuing at line 4"),
        nil, nil,
        TextFault("the quote that opens on line 6 does not close"),
      ])
  }

  @Test(arguments: [100, 1 << 20])
  func oneStrayQuoteInALargeFile(_ step: Int) throws {
    let rows = (4..<30_000).map { "\($0),y" }
    let text = "id,a\n2,x\n3,\"stray\n" + rows.joined(separator: "\n") + "\n"
    let records = try records(reader(Array(text.utf8), step: step))
    #expect(records.count == 3 + rows.count && records[2].text == "3,\"stray" && records[2].line == 3)
    #expect(
      records[2].fault
        == TextFault("the quote that opens on line 3 does not close within 128 KiB: continuing at line 4"))
    #expect(records[3...].map(\.text) == rows && records.last?.line == 29_999)
    #expect(records.count { $0.fault != nil } == 1)
  }

  @Test func aStrayQuoteBehindAFieldOfSeveralLines() throws {
    let records = try records(reader(Array("1,\"two\nlines\",\"stray\n3,x\n4,y\n".utf8)))
    #expect(records.map(\.text) == ["1,\"two\nlines\",\"stray", "3,x", "4,y"] && records.map(\.line) == [1, 3, 4])
    #expect(records[0].fault?.description.hasPrefix("the quote that opens on line 2 does not close") == true)
  }

  @Test func aLongFieldOfSeveralLinesIsWhole() throws {
    let field = String(repeating: "line of \"\"text\"\"\n", count: 6_000)
    let records = try records(reader(Array("1,\"\(field)\",x\n2,y\n".utf8)))
    #expect(records.map(\.line) == [1, 6_002] && records.allSatisfy { $0.fault == nil })
  }

  @Test func blanksAroundQuotes() throws {
    let text = "1, \"a\nb\" , c\n2,\t\"d\ne\"\r\n3, \"\"\n"
    let trimmed = try records(reader(Array(text.utf8), trims: true))
    #expect(trimmed.map(\.text) == ["1, \"a\nb\" , c", "2,\t\"d\ne\"", "3, \"\""])
    #expect(trimmed.map(\.line) == [1, 3, 5] && trimmed.allSatisfy { $0.fault == nil })
    #expect(try records(reader(Array(text.utf8))).map(\.text).first == "1, \"a")
  }

  @Test func marksOfByteOrder() throws {
    #expect(try records(reader([0xef, 0xbb, 0xbf] + Array("a".utf8), step: 1)).map(\.text) == ["a"])
    #expect(throws: TextFault.self) { try records(reader([0xff, 0xfe, 0x61, 0])) }
    #expect(throws: TextFault.self) { try records(reader([0xfe, 0xff, 0, 0x61])) }
  }

  @Test(arguments: [[], [0x0a], [0x0d, 0x0a, 0x0a]])
  func nothing(_ bytes: [UInt8]) throws {
    #expect(try records(reader(bytes)).isEmpty)
  }

  @Test func lengthIsBounded() {
    let long = Array("a\n\"".utf8) + [UInt8](repeating: 0x62, count: RecordReader.recordBytesMax + 1_000_000)
    #expect {
      try records(reader(long))
    } throws: { error in
      "\(error)".contains("the quote that opens on line 2 does not close within 8 MiB")
    }
  }
}
