// `--since -2h`: a time before now begins like an option.

/// Ties such times to their options, or the argument parser would look for options in them: `-h` asks for help.
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
