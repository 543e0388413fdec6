// Cuts a file into records without holding more than one of them: lines of NDJSON, or rows of CSV whose quoted fields
// may go over several lines (RFC 4180).
//
// Promises: memory is bounded by the longest record; each record knows its line.

/// The bytes of one record, without the line break behind it.
package struct Record: Sendable {
  package let bytes: [UInt8]
  /// The line that it begins on; the first is 1.
  package let line: Int
  /// Why the record cannot be used.
  package let fault: TextFault?

  /// For messages; what is not UTF-8 is replaced.
  package var text: String { String(decoding: bytes, as: UTF8.self) }
}

package struct RecordReader {
  /// Bytes of one record.
  package static let recordBytesMax = 8 << 20
  private static let readBytes = 256 << 10

  private enum State { case fieldStart, unquoted, quoted, quoteInQuoted }

  private let delimiter: UInt8?
  private let read: (UnsafeMutableRawBufferPointer) throws -> Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var line = 1
  private var isFirst = true

  /// - Parameters:
  ///   - delimiter: of CSV; nil = every line is a record.
  ///   - read: fills the room, or a part of it, and returns how many bytes; 0 = the end.
  package init(delimiter: UInt8?, read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) {
    self.delimiter = delimiter
    self.read = read
  }

  /// The next record that is not an empty line; nil at the end. Throws when going on makes no sense.
  package mutating func next() throws -> Record? {
    if isFirst { try skipMark() }
    while let record = try nextRecord() {
      if !record.bytes.isEmpty { return record }
    }
    return nil
  }

  private mutating func nextRecord() throws -> Record? {
    let firstLine = line
    var position = start
    var state = State.fieldStart
    var quoteLine = line
    while true {
      if let end = scan(&position, &state, &quoteLine) { return record(upTo: end, next: end + 1, firstLine, nil) }
      guard position - start <= Self.recordBytesMax else {
        let why = state == .quoted ? "the quote that opens on line \(quoteLine) does not end" : "line \(firstLine) is"
        throw TextFault("\(why) within \(Self.recordBytesMax >> 20) MiB: check the file and the --delimiter")
      }
      position -= start
      let isAtEnd = try !fill()
      guard isAtEnd else { continue }
      if buffer.isEmpty { return nil }
      let fault = state == .quoted ? TextFault("the quote that opens on line \(quoteLine) does not end") : nil
      return record(upTo: buffer.count, next: buffer.count, firstLine, fault)
    }
  }

  /// Goes on to the record's end; nil when that is not in the buffer yet.
  private mutating func scan(_ position: inout Int, _ state: inout State, _ quoteLine: inout Int) -> Int? {
    guard let delimiter else { return scanLine(&position) }
    let quote = UInt8(ascii: "\"")
    return buffer.withUnsafeBufferPointer { bytes in
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        if byte == UInt8(ascii: "\n") { line += 1 }
        switch (state, byte) {
        case (.quoted, quote): state = .quoteInQuoted
        case (.quoted, _): break
        case (.quoteInQuoted, quote): state = .quoted
        case (_, UInt8(ascii: "\n")): return position - 1
        case (.fieldStart, quote):
          state = .quoted
          quoteLine = line
        case (_, delimiter): state = .fieldStart
        default: state = .unquoted
        }
      }
      return nil
    }
  }

  private mutating func scanLine(_ position: inout Int) -> Int? {
    guard let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) else {
      position = buffer.count
      return nil
    }
    line += 1
    position = end + 1
    return end
  }

  private mutating func record(upTo end: Int, next: Int, _ line: Int, _ fault: TextFault?) -> Record {
    var end = end
    if end > start && buffer[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    let bytes = Array(buffer[start..<end])
    start = next
    return Record(bytes: bytes, line: line, fault: fault)
  }

  /// Drops what was used and reads on; false at the end of the file.
  private mutating func fill() throws -> Bool {
    buffer.removeSubrange(..<start)
    start = 0
    let bytes = try [UInt8](unsafeUninitializedCapacity: Self.readBytes) { (room, count) in
      count = try read(UnsafeMutableRawBufferPointer(room))
    }
    buffer += bytes
    return !bytes.isEmpty
  }

  /// Skips UTF-8's byte order mark and refuses UTF-16's.
  private mutating func skipMark() throws {
    isFirst = false
    while buffer.count < 3, try fill() {}
    if buffer.starts(with: [0xef, 0xbb, 0xbf]) { start = 3 }
    if buffer.starts(with: [0xff, 0xfe]) || buffer.starts(with: [0xfe, 0xff]) {
      throw TextFault("the file is UTF-16: convert it, for example with iconv -f utf-16 -t utf-8")
    }
  }
}
