// Options that commands share.

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

/// How to reach the daemon and how to print.
struct CommonArguments: ParsableArguments {
  @Option(help: "The daemon's socket (default: $TWIND_SOCKET, or else the daemon's default).") var socket: String?
  @Option(help: "The agent name to record with writes (default: the user name).") var agent: String?
  @Option(
    help: ArgumentHelp("How long a call may take: 250ms, 1s, 5m (default: 10s).", valueName: "duration"),
    transform: durationArgument)
  var timeout: Duration?
  @Flag(help: "Print JSON: one object, or one per line.") var json = false

  var timeoutOrDefault: Duration { timeout ?? .seconds(10) }

  func client() -> TwindClient { client(agent: agent) }

  func client(agent: String?) -> TwindClient {
    TwindClient(path: socket ?? TwindClient.defaultSocket, agent: agent, timeout: timeoutOrDefault)
  }
}

/// Options of writes.
struct WriteArguments: ParsableArguments {
  @Option(help: ArgumentHelp("A write repeated with the same key takes effect once.", valueName: "key"))
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

/// Preconditions of updates.
struct PreconditionArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Write only if the twin is at this revision; 0: it never existed.", valueName: "revision"))
  var expectRevision: UInt64?
  @Flag(help: "Write only if the twin does not exist.") var mustNotExist = false

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

/// Separates names of twins, which have slashes, from names of attributes, which do not.
func splitNames(_ arguments: [String]) -> (twins: [String], attributes: [String]) {
  (arguments.filter { $0.contains("/") }, arguments.filter { !$0.contains("/") })
}
