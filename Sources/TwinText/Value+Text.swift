// Parses values on the command line and in cells of CSV files.

import FoundationEssentials
import TwinClient

extension Value {
  /// Parses a text as a value of a kind.
  ///
  /// Forms: `string` as it is; `int` 64 bits; `double` finite; `bool` true, false, 1, 0; `bytes` base64; `timestamp`
  /// RFC 3339 or a date; `list` a JSON array; `json` any JSON; `unknown` base64.
  package init(_ text: String, as kind: ValueKind) throws {
    switch kind {
    case .string: self = .string(try Self.storable(text))
    case .int: self = .int(try Self.parsed(text, Int64(text), "an int", "a 64-bit integer, for example 42"))
    case .double: self = .double(try Self.double(text))
    case .bool: self = .bool(try Self.parsed(text, Self.bools[text.lowercased()], "a bool", "true or false"))
    case .bytes:
      self = .bytes(try Self.parsed(text, Data(base64Encoded: text).map { [UInt8]($0) }, "bytes", "base64"))
    case .timestamp:
      let form = "RFC 3339, for example 2026-01-31T09:00:00Z"
      self = .timestamp(try Self.parsed(text, TimestampText.parse(text), "a timestamp", form))
    case .unknown:
      let form = "base64, as in an export"
      self = .unknown(try Self.parsed(text, Data(base64Encoded: text).map { [UInt8]($0) }, "an unknown value", form))
    case .list, .json:
      var reader = JSONReader(Array(text.utf8))
      do {
        self = kind == .json ? .json(try Self.checked(&reader, text)) : try reader.value(.list)
        try reader.finish()
      } catch let fault as JSONFault {
        throw TextFault("\(text.excerpt()) is not \(kind == .json ? "JSON" : "a JSON array"): \(fault)")
      }
    }
  }

  /// Text on the wire cannot contain NUL.
  static func storable(_ text: String) throws(TextFault) -> String {
    if text.utf8.contains(0) { throw TextFault("\(text.excerpt()) contains a NUL character: use the kind bytes") }
    return text
  }

  private static let bools = ["true": true, "1": true, "false": false, "0": false]

  private static func double(_ text: String) throws(TextFault) -> Double {
    let isDecimal = text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "+-.eE".utf8.contains($0) }
    let number = isDecimal ? Double(text) : nil
    return try parsed(text, number?.isFinite == true ? number : nil, "a double", "a finite number, for example 2.5")
  }

  private static func parsed<Parsed>(
    _ text: String, _ value: Parsed?, _ kind: String, _ form: String
  ) throws(TextFault) -> Parsed {
    guard let value else { throw TextFault("\(text.excerpt()) is not \(kind): write \(form)") }
    return value
  }

  private static func checked(_ reader: inout JSONReader, _ text: String) throws -> String {
    _ = try reader.skip()
    return text
  }
}
