// Options that commands share.

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

/// How to reach the daemon and how to print.
struct CommonArguments: ParsableArguments {
  @Option(help: "The daemon's socket (default: $TWIND_SOCKET, else as the daemon chooses it).") var socket: String?
  @Option(help: "The name under which writes are recorded (default: the user's).") var agent: String?
  @Option(
    help: ArgumentHelp("How long a call may take: 250ms, 1s, 5m (default: 10s).", valueName: "duration"),
    transform: durationArgument)
  var timeout: Duration?
  @Flag(help: "Print JSON: one object, or one a line.") var json = false

  var timeoutOrDefault: Duration { timeout ?? .seconds(10) }

  func client() -> TwindClient { client(agent: agent) }

  func client(agent: String?) -> TwindClient {
    TwindClient(path: socket ?? TwindClient.defaultSocket, agent: agent, timeout: timeoutOrDefault)
  }
}

/// What a write may state.
struct WriteArguments: ParsableArguments {
  @Option(help: ArgumentHelp("The same key returns the first result again.", valueName: "key"))
  var idempotencyKey: String?
  @Option(help: ArgumentHelp("What the write must survive (default: the daemon's).", valueName: "level"))
  var durability: DurabilityArgument?
  @Option(help: "What the data is for.") var purpose: String?

  var options: WriteOptions {
    var options = WriteOptions()
    options.idempotencyKey = idempotencyKey
    options.durability = durability?.level ?? .unspecified
    options.purpose = purpose ?? ""
    return options
  }
}

/// What must hold for an update.
struct PreconditionArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Only if the twin is at this revision; 0 = it never existed.", valueName: "revision"))
  var expectRevision: UInt64?
  @Flag(help: "Only if the twin does not exist.") var mustNotExist = false

  func validate() throws {
    if expectRevision != nil && mustNotExist {
      throw ValidationError("use --expect-revision or --must-not-exist, not both")
    }
  }

  var precondition: Precondition {
    if mustNotExist { return .mustNotExist }
    return expectRevision.map { .revision($0) } ?? .none
  }
}

enum DurabilityArgument: String, ExpressibleByArgument, CaseIterable {
  case memory, journaled, synced

  var level: Durability {
    switch self {
    case .memory: .memory
    case .journaled: .journaled
    case .synced: .synced
    }
  }
}

@Sendable
func durationArgument(_ text: String) throws -> Duration {
  guard let duration = DurationText.parse(text) else {
    throw ValidationError("\(text.excerpt()) is not a duration: write 250ms, 1s, 5m or 2h")
  }
  return duration
}

/// Splits names of twins, which hold slashes, from names of attributes, which do not.
func splitNames(_ arguments: [String]) -> (twins: [String], attributes: [String]) {
  (arguments.filter { $0.contains("/") }, arguments.filter { !$0.contains("/") })
}
