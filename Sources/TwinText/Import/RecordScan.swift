// Finds the ends of records: lines, or rows of CSV, whose quoted fields can span several lines (RFC 4180).
//
// A stray quote makes only its own line invalid. A quote is stray if its field does not close within `quotedBytesMax`
// or before the end of the file, or closes on a later line in the middle of a field.

struct RecordScan {
  /// The most bytes in a quoted field that spans several lines: values have at most 64 KiB, twice that with doubled
  /// quotes.
  static let quotedBytesMax = 128 << 10

  enum Found: Equatable {
    /// The record ends here, before its line break.
    case record(end: Int)
    /// The record ends with the line of a stray quote.
    case strayQuote(end: Int, why: String)
  }

  private enum State { case fieldStart, unquoted, quoted, quoteInQuoted, fieldEnd }

  private let delimiter: UInt8?
  private let trims: Bool
  private let firstLine: Int
  private var state = State.fieldStart
  /// How many bytes of the record have been scanned.
  private(set) var count = 0
  /// The next line.
  private(set) var line: Int
  private var quotePlace = 0
  private var quoteLine = 0
  /// The end of the line on which the quote opens; nil: not known yet.
  private var quoteLineEnd: Int?

  /// - Parameters:
  ///   - delimiter: nil: every line is a record.
  ///   - trims: ignore blanks around a quoted field.
  init(delimiter: UInt8?, trims: Bool, line: Int) {
    self.delimiter = delimiter
    self.trims = trims
    firstLine = line
    self.line = line
  }

  /// Continues with more bytes of the record. nil: it needs more.
  mutating func next(_ bytes: UnsafeBufferPointer<UInt8>) -> Found? {
    guard let delimiter else { return nextLine(bytes) }
    while count < bytes.count {
      let byte = bytes[count]
      count += 1
      if let found = take(byte, delimiter) { return found }
    }
    return nil
  }

  /// Called at the end of the file. nil: the record ends there.
  func atEnd() -> Found? {
    guard state == .quoted else { return nil }
    return .strayQuote(end: quoteLineEnd ?? count, why: "the quote that opens on line \(quoteLine) does not close")
  }

  /// Why the bytes so far are not a valid record.
  var why: String {
    state == .quoted ? "the quote that opens on line \(quoteLine) does not close" : "line \(firstLine) does not end"
  }

  /// The next line to read after a stray quote.
  var lineAfterQuote: Int { quoteLine + 1 }

  private mutating func nextLine(_ bytes: UnsafeBufferPointer<UInt8>) -> Found? {
    guard let end = bytes[count...].firstIndex(of: UInt8(ascii: "\n")) else {
      count = bytes.count
      return nil
    }
    count = end + 1
    line += 1
    return .record(end: end)
  }

  private mutating func take(_ byte: UInt8, _ delimiter: UInt8) -> Found? {
    let quote = UInt8(ascii: "\"")
    if byte == UInt8(ascii: "\n") {
      line += 1
      if state != .quoted { return .record(end: count - 1) }
      if quoteLineEnd == nil { quoteLineEnd = count - 1 }
    }
    switch (state, byte) {
    case (.quoted, quote): state = .quoteInQuoted
    case (.quoted, _): return tooLong()
    case (.quoteInQuoted, quote): state = .quoted
    case (.fieldStart, quote):
      state = .quoted
      (quotePlace, quoteLine, quoteLineEnd) = (count - 1, line, nil)
    case (_, delimiter): state = .fieldStart
    case (.fieldStart, UInt8(ascii: " ")) where trims, (.fieldStart, UInt8(ascii: "\t")) where trims: break
    case (.quoteInQuoted, UInt8(ascii: " ")) where trims, (.quoteInQuoted, UInt8(ascii: "\t")) where trims,
      (.fieldEnd, UInt8(ascii: " ")) where trims, (.fieldEnd, UInt8(ascii: "\t")) where trims:
      state = .fieldEnd
    case (.quoteInQuoted, UInt8(ascii: "\r")), (.fieldEnd, UInt8(ascii: "\r")): state = .unquoted
    case (.quoteInQuoted, _), (.fieldEnd, _):
      state = .unquoted
      if let quoteLineEnd {
        return .strayQuote(
          end: quoteLineEnd,
          why: "the quote that opens on line \(quoteLine) closes in the middle of a field, on line \(line)")
      }
    default: state = .unquoted
    }
    return nil
  }

  private func tooLong() -> Found? {
    guard let quoteLineEnd, count - quotePlace > Self.quotedBytesMax else { return nil }
    return .strayQuote(
      end: quoteLineEnd,
      why: "the quote that opens on line \(quoteLine) does not close within \(Self.quotedBytesMax >> 10) KiB")
  }
}
