// Records are the same however the file arrives.

import Testing
import TwinText

@Suite struct RecordReaderTests {
  /// A reader of the bytes, so many at a time.
  private func reader(_ bytes: [UInt8], delimiter: UInt8? = UInt8(ascii: ","), step: Int = .max) -> RecordReader {
    var rest = bytes[...]
    return RecordReader(delimiter: delimiter) { room in
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

  @Test func anOpenQuoteIsNamedByItsLine() throws {
    let records = try records(reader(Array("a\nb\n1,\"x\n2,y\n".utf8)))
    #expect(records.count == 3)
    #expect(records[2].line == 3)
    #expect(records[2].fault?.description.contains("line 3") == true)
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
      "\(error)".contains("the quote that opens on line 2 does not end within 8 MiB")
    }
  }
}
