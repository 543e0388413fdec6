// Splits a CSV record into fields (RFC 4180). Quoted fields may contain delimiters, line breaks and doubled quotes.

package struct CSVFields {
  private let bytes: [UInt8]
  private let delimiter: UInt8
  private let trims: Bool
  private var position = 0

  /// The texts of the fields. With a space as delimiter several stand for one, and those at either end for none.
  ///
  /// Errors have the number of the field, counted from 1.
  /// - Parameter trims: remove blanks around fields, but not inside quotes.
  package static func parse(
    _ record: [UInt8], delimiter: UInt8, trims: Bool = false
  ) throws(TextFault) -> [String] {
    var fields = CSVFields(bytes: record, delimiter: delimiter, trims: trims)
    var texts: [String] = []
    repeat {
      guard fields.skipSpaces(isFirst: texts.isEmpty) else { break }
      do {
        texts.append(try fields.next())
      } catch {
        throw TextFault("field \(texts.count + 1) \(error.description)")
      }
    } while fields.takeDelimiter()
    return texts
  }

  private init(bytes: [UInt8], delimiter: UInt8, trims: Bool) {
    self.bytes = bytes
    self.delimiter = delimiter
    self.trims = trims
  }

  private mutating func next() throws(TextFault) -> String {
    var text: [UInt8] = []
    skipBlanks()
    if position < bytes.count && bytes[position] == UInt8(ascii: "\"") {
      text = try quoted()
    } else {
      let end = bytes[position...].firstIndex(of: delimiter) ?? bytes.count
      text = Array(bytes[position..<end])
      position = end
      while let last = text.last, isBlank(last) { text.removeLast() }
      if text.contains(UInt8(ascii: "\"")) {
        throw TextFault("contains a quote: quote the whole field and double the quote")
      }
      if text.contains(UInt8(ascii: "\r")) {
        throw TextFault("contains a carriage return: quote the field, or end lines with \\n")
      }
    }
    guard let string = String(validating: text, as: UTF8.self) else { throw TextFault("is not UTF-8") }
    if text.contains(0) { throw TextFault("contains a NUL byte") }
    return string
  }

  private mutating func quoted() throws(TextFault) -> [UInt8] {
    var text: [UInt8] = []
    position += 1
    while let quote = bytes[position...].firstIndex(of: UInt8(ascii: "\"")) {
      text += bytes[position..<quote]
      position = quote + 1
      skipBlanks()
      guard position < bytes.count, bytes[position] != delimiter else { return text }
      guard position == quote + 1, bytes[position] == UInt8(ascii: "\"") else {
        throw TextFault("has text after its closing quote")
      }
      text.append(UInt8(ascii: "\""))
      position += 1
    }
    throw TextFault("has no closing quote")
  }

  private func isBlank(_ byte: UInt8) -> Bool {
    trims && (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")) && byte != delimiter
  }

  private mutating func skipBlanks() {
    while position < bytes.count && isBlank(bytes[position]) { position += 1 }
  }

  private mutating func takeDelimiter() -> Bool {
    guard position < bytes.count else { return false }
    position += 1
    return true
  }

  /// False if only spaces are left.
  private mutating func skipSpaces(isFirst: Bool) -> Bool {
    guard delimiter == UInt8(ascii: " ") else { return true }
    while position < bytes.count && bytes[position] == delimiter { position += 1 }
    return position < bytes.count
  }
}
