// Splits a file into records.
//
// Memory is bounded by the longest record. Each record knows its line. After a stray quote, reading continues at the
// next line.

/// The bytes of a record, without the line break.
package struct Record: Sendable {
  package let bytes: [UInt8]
  /// The line on which it begins, counted from 1.
  package let line: Int
  /// Why the record cannot be used.
  package let fault: TextFault?

  /// For messages; invalid UTF-8 is replaced.
  package var text: String { String(decoding: bytes, as: UTF8.self) }
}

package struct RecordReader {
  /// The most bytes in a record.
  package static let recordBytesMax = 8 << 20
  private static let readBytes = 256 << 10

  private let delimiter: UInt8?
  private let trims: Bool
  private let read: (UnsafeMutableRawBufferPointer) throws -> Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var line = 1
  private var isFirst = true

  /// - Parameters:
  ///   - delimiter: for CSV; nil: every line is a record.
  ///   - trims: remove blanks around the fields of CSV.
  ///   - read: fills at least part of the buffer, and returns the number of bytes; 0: the end.
  package init(
    delimiter: UInt8?, trims: Bool = false, read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int
  ) {
    self.delimiter = delimiter
    self.trims = trims
    self.read = read
  }

  /// The next record that is not an empty line; nil at the end. Throws if the rest of the file cannot be read.
  package mutating func next() throws -> Record? {
    if isFirst { try skipMark() }
    while let record = try nextRecord() {
      if !record.bytes.isEmpty { return record }
    }
    return nil
  }

  private mutating func nextRecord() throws -> Record? {
    var scan = RecordScan(delimiter: delimiter, trims: trims, line: line)
    while true {
      let found = buffer.withUnsafeBufferPointer { scan.next(UnsafeBufferPointer(rebasing: $0[start...])) }
      if let found { return record(found, scan) }
      guard scan.count <= Self.recordBytesMax else {
        throw TextFault("\(scan.why) within \(Self.recordBytesMax >> 20) MiB: check the file and the --delimiter")
      }
      if try fill() { continue }
      if buffer.isEmpty { return nil }
      return record(scan.atEnd() ?? .record(end: buffer.count), scan)
    }
  }

  /// Removes it from the buffer, with its line break.
  private mutating func record(_ found: RecordScan.Found, _ scan: RecordScan) -> Record {
    let firstLine = line
    let length: Int
    var fault: TextFault?
    switch found {
    case .record(let end):
      (length, line) = (end, scan.line)
    case .strayQuote(let end, let why):
      (length, line) = (end, scan.lineAfterQuote)
      let isLast = start + end >= buffer.count
      fault = TextFault(isLast ? why : "\(why): continuing at line \(line)")
    }
    var bytes = buffer[start..<start + length]
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    start = min(start + length + 1, buffer.count)
    return Record(bytes: Array(bytes), line: firstLine, fault: fault)
  }

  /// Drops the used bytes and reads more; false at the end of the file.
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
      throw TextFault("the file is in UTF-16: convert it, for example with iconv -f utf-16 -t utf-8")
    }
  }
}
