// Typed values of settings, with errors that name the setting.

import Configuration

/// Reads settings that are set somewhere; others are nil.
struct SettingsReader {
  let reader: ConfigReader
  /// Which are set: the library takes a value of a wrong type for none.
  let isSet: Set<String>

  func string(_ key: String) throws -> String? {
    guard isSet.contains(key) else { return nil }
    guard let value = reader.string(forKey: ConfigKey([key])) else { throw wrong(key, "a text is expected") }
    return value.isEmpty ? nil : value
  }

  func bool(_ key: String) throws -> Bool? {
    guard isSet.contains(key) else { return nil }
    guard let value = reader.bool(forKey: ConfigKey([key])) else { throw wrong(key, "true or false is expected") }
    return value
  }

  func int(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard isSet.contains(key) else { return nil }
    guard let value = reader.int(forKey: ConfigKey([key])), range.contains(value) else {
      throw wrong(key, "a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
    }
    return value
  }

  /// The parsed value, or an error that shows the text and says what to write instead.
  func parsed<Value>(_ key: String, _ text: String, _ remedy: String, _ value: Value?) throws -> Value {
    guard let value else { throw ValidationExit("\(key) is \"\(text)\": \(remedy)") }
    return value
  }

  func bytes(_ key: String, _ text: String, atLeast minimum: Int) throws -> Int {
    let count = try parsed(
      key, text, "write an amount of memory such as 128MiB or 1GiB, at least \(ByteCountText.format(minimum))",
      ByteCountText.parse(text))
    guard count >= minimum else {
      throw ValidationExit("\(key) is \"\(text)\": it must be at least \(ByteCountText.format(minimum))")
    }
    return count
  }

  private func wrong(_ key: String, _ expected: String) -> ValidationExit {
    ValidationExit("\(key) has a wrong value: \(expected)")
  }
}
