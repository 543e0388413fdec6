// Reads typed settings. Errors name the setting.

import Configuration

/// Reads settings. Those that are not set are nil.
struct SettingsReader {
  let reader: ConfigReader
  /// Which settings are set. The library would treat a value of the wrong type as not set.
  let isSet: Set<String>

  func string(_ key: String) throws -> String? {
    guard isSet.contains(key) else { return nil }
    guard let value = reader.string(forKey: ConfigKey([key])) else { throw wrong(key, "it must be a string") }
    return value.isEmpty ? nil : value
  }

  func bool(_ key: String) throws -> Bool? {
    guard isSet.contains(key) else { return nil }
    guard let value = reader.bool(forKey: ConfigKey([key])) else { throw wrong(key, "it must be true or false") }
    return value
  }

  func int(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard isSet.contains(key) else { return nil }
    guard let value = reader.int(forKey: ConfigKey([key])), range.contains(value) else {
      throw wrong(key, "it must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// Returns the parsed value. The error shows the text and says what to write instead.
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
    ValidationExit("\(key) has an invalid value: \(expected)")
  }
}
