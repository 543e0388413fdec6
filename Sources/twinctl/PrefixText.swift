// What a user means by the beginning of names.

enum PrefixText {
  /// `acme` is the space acme, and `acme/customer` the kind: both end in a slash.
  static func completed(_ text: String) -> String {
    text.isEmpty || text.hasSuffix("/") || text.count(where: { $0 == "/" }) > 1 ? text : text + "/"
  }
}
