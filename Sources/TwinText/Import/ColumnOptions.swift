// Parses options about columns: `column:kind,column:kind` and `column=attribute`.

package enum ColumnOptions {
  /// `column:kind,column:kind`
  package static func types(_ text: String) throws(TextFault) -> [String: ValueKind] {
    var types: [String: ValueKind] = [:]
    for part in text.split(separator: ",") {
      guard let colon = part.lastIndex(of: ":") else {
        throw TextFault("\(String(part).excerpt()) has no kind: write column:kind,column:kind")
      }
      let column = String(part[..<colon])
      let word = String(part[part.index(after: colon)...])
      guard let kind = ValueKind(rawValue: word) else {
        throw TextFault("\(word.excerpt()) is not a kind: use one of \(ValueKind.names)")
      }
      guard types.updateValue(kind, forKey: column) == nil else {
        throw TextFault("the kind of \(column.excerpt()) is given twice")
      }
    }
    return types
  }

  /// Parses options `column=attribute`; without an attribute the column is skipped.
  package static func attributes(_ texts: [String]) throws(TextFault) -> [String: String] {
    var attributes: [String: String] = [:]
    for text in texts {
      guard let equals = text.lastIndex(of: "="), equals > text.startIndex else {
        throw TextFault("\(text.excerpt()) has no '=': write column=attribute")
      }
      let column = String(text[..<equals])
      let attribute = String(text[text.index(after: equals)...])
      if !attribute.isEmpty { try AttributeName.check(attribute) }
      guard attributes.updateValue(attribute, forKey: column) == nil else {
        throw TextFault("the attribute of \(column.excerpt()) is given twice")
      }
    }
    return attributes
  }
}
