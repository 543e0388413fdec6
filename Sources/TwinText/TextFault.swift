// What is wrong with a text that people or programs gave.

/// Says what, with the offending text, and what to write instead.
package struct TextFault: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

extension String {
  /// At most so many characters, for messages; control characters do not reach the terminal.
  package func excerpt(_ count: Int = 60) -> String {
    JSONObject.quoted(self.count > count ? prefix(count) + "…" : self)
  }
}
