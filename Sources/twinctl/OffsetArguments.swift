// Allows `--since -2h`, where the value looks like an option.

/// Joins such times with their options; otherwise the argument parser would take them for options, and `-h` for help.
enum OffsetArguments {
  private static let options = ["--valid-from", "--valid-to", "--valid-at", "--known-at", "--since", "--until"]

  static func tied(_ arguments: [String]) -> [String] {
    let options = arguments.prefix { $0 != "--" }
    var tied: [String] = []
    for argument in options {
      if let last = tied.last, Self.options.contains(last), isOffset(argument) {
        tied[tied.count - 1] = "\(last)=\(argument)"
      } else {
        tied.append(argument)
      }
    }
    return tied + arguments[options.endIndex...]
  }

  private static func isOffset(_ argument: String) -> Bool {
    argument.first == "-" && argument.dropFirst().first.map { $0.isASCII && $0.isNumber } ?? false
  }
}
