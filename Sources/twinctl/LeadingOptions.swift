// Allows common options before the command: `twinctl --socket S get …`.

/// Moves leading options after the command, where the argument parser expects them.
enum LeadingOptions {
  private static let flags = ["--json"]
  private static let options = ["--socket", "--agent", "--timeout"]

  static func moved(_ arguments: [String]) -> [String] {
    var leading: [String] = []
    var rest = arguments[...]
    while let first = rest.first {
      if flags.contains(first) || options.contains(where: { first.hasPrefix($0 + "=") }) {
        leading.append(rest.removeFirst())
      } else if options.contains(first), rest.count > 1 {
        leading += [rest.removeFirst(), rest.removeFirst()]
      } else {
        break
      }
    }
    guard let command = rest.popFirst() else { return arguments }
    // Help has none of them.
    return command == "help" ? [command] + rest : [command] + leading + rest
  }
}
