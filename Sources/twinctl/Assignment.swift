// `attribute=value` and `attribute:kind=value` on the command line.

import TwinClient
import TwinText

/// A change given as an argument.
struct Assignment {
  let attribute: String
  /// nil: not given.
  let kind: ValueKind?
  let text: String

  init(_ argument: String) throws {
    guard let equals = argument.firstIndex(of: "=") else {
      throw Failure("\(argument.excerpt()) has no '=': write attribute=value or attribute:kind=value")
    }
    let left = argument[..<equals].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    attribute = left.first.map(String.init) ?? ""
    if left.count == 2 {
      kind = ValueKind(rawValue: String(left[1]))
      if kind == nil {
        throw Failure("\(String(left[1]).excerpt()) is not a kind: use one of \(ValueKind.names)")
      }
    } else {
      kind = nil
    }
    text = String(argument[argument.index(after: equals)...])
    do {
      try AttributeName.check(attribute)
    } catch {
      throw Failure(error.description)
    }
  }

  /// For bytes, json and list, `@FILE` reads the file and `@-` reads standard input.
  func value() throws -> Value {
    let kind = kind ?? .string
    do {
      guard text.hasPrefix("@"), [.bytes, .json, .list].contains(kind) else { return try Value(text, as: kind) }
      let bytes = try InputFile(String(text.dropFirst())).readAll()
      if kind == .bytes { return .bytes(bytes) }
      guard let content = String(validating: bytes, as: UTF8.self) else { throw TextFault("\(text) is not UTF-8") }
      return try Value(content, as: kind)
    } catch let fault as TextFault {
      throw Failure("\(attribute): \(fault)")
    }
  }

  /// An int if possible, otherwise a double.
  func increment() throws -> Value {
    do {
      let guessed: ValueKind = Int64(text) == nil ? .double : .int
      switch kind ?? guessed {
      case .int: return try Value(text, as: .int)
      case .double: return try Value(text, as: .double)
      default: throw TextFault("an increment must be an int or a double")
      }
    } catch let fault as TextFault {
      throw Failure("\(attribute): \(fault)")
    }
  }
}
