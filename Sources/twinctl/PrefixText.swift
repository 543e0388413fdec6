// Completes prefixes: acme means acme/.

enum PrefixText {
  /// `acme` means the space `acme/`, and `acme/customer` the kind `acme/customer/`.
  static func completed(_ text: String) -> String {
    text.isEmpty || text.hasSuffix("/") || text.count(where: { $0 == "/" }) > 1 ? text : text + "/"
  }
}
