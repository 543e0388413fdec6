// Errors in text input.

/// The message has the offending text, and says what to write instead.
package struct TextFault: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

extension String {
  /// At most this many characters, for messages, without control characters.
  package func excerpt(_ count: Int = 60) -> String {
    JSONObject.quoted(self.count > count ? prefix(count) + "…" : self)
  }
}
