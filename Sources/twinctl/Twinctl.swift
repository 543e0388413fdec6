// twinctl: twins from the command line.

import ArgumentParser
import CLinux
import Glibc
import TTRPC
import TwinText

@main
struct Twinctl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "twinctl",
    abstract: "Reads, writes and watches twins, and manages the daemon.",
    discussion: """
      A twin's name is space/kind/id, for example acme/customer/42. Commands print
      tables; with --json they print a JSON object, or one per line, and errors on
      standard error as {"code":…,"error":…}.

      EXAMPLES
        twinctl set acme/customer/42 email=ada@example.com visits:int=3
        twinctl get acme/customer/42
        twinctl history acme/customer/42 --since -7d
        twinctl watch acme/
        twinctl import people.csv --space acme --kind customer --id-column id

      ENVIRONMENT
        TWIND_SOCKET  the daemon's socket (default: $XDG_RUNTIME_DIR/twind.sock,
                      or else ./twind.sock)
        NO_COLOR      do not use colours

      EXIT CODES
        0  success
        1  wrong usage, or a local error
        2  the daemon rejected the request as invalid
        3  not found
        4  conflict: a precondition failed
        5  permission denied
        6  daemon not reachable or not serving, or timed out
        7  a limit was reached
        8  any other error from the daemon
        9  import: some rows were rejected
      """,
    version: "0.1.0",
    subcommands: [
      Get.self, SetCommand.self, Increment.self, Remove.self, Delete.self, List.self, History.self, Watch.self,
      Import.self, Export.self,
      Stats.self, Health.self, Info.self, Checkpoint.self, Backup.self,
      Call.self, ProtoCommand.self,
    ])

  static func main() {
    // Before anything is opened.
    twind_fill_standard_descriptors()
    // If the reader of the output stops reading, exit silently.
    signal(SIGPIPE, SIG_DFL)
    do {
      let arguments = LeadingOptions.moved(Array(CommandLine.arguments.dropFirst()))
      try checkCommand(arguments)
      var command = try parseAsRoot(OffsetArguments.tied(arguments))
      try command.run()
    } catch {
      Glibc.exit(report(error).rawValue)
    }
  }

  /// The parser itself would take a misspelt command for an argument, or show the general help.
  private static func checkCommand(_ arguments: [String]) throws(Failure) {
    let isHelp = arguments.first == "help"
    guard let name = isHelp ? arguments.dropFirst().first : arguments.first, !name.hasPrefix("-") else { return }
    let known = configuration.subcommands.map { $0.configuration.commandName ?? "\($0)".lowercased() }
    if known.contains(name) || (!isHelp && name == "help") { return }
    let nearest = NearestName.of(name, in: known).map { ": did you mean \($0)?" } ?? ""
    throw Failure("there is no command \(name)\(nearest) (see twinctl --help)")
  }

  /// Prints the error: on one line, or with --json as an object.
  private static func report(_ error: any Error) -> ExitStatus {
    switch error {
    case let status as ExitStatus: return status
    case let error as RPCError:
      Terminal.complain(error.message, code: error.code.name)
      return ExitStatus(error.code)
    case let failure as Failure:
      Terminal.complain(failure.description)
      return .local
    default: return reportUsage(error)
    }
  }

  /// Requests for help and version are errors of the argument parser, too.
  private static func reportUsage(_ error: any Error) -> ExitStatus {
    guard exitCode(for: error) == .success else {
      Terminal.complain("\(message(for: error)) (see twinctl --help, or the command's --help)")
      return .local
    }
    do {
      try Terminal.print(fullMessage(for: error))
      return .done
    } catch {
      return report(error)
    }
  }
}
