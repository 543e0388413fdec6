// twind serve: the daemon itself.

import ArgumentParser
import Glibc
import Logging
import ServiceLifecycle
import TwinService

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve twins until stopped (the default command).",
    discussion: """
      A setting comes from its option, or else from its TWIND_* variable, the configuration file, or the default shown
      below. The configuration file is a JSON object whose keys are the names of options:

        {"socket": "/run/twind/twind.sock", "checkpoint-interval": "5s", "agents": "1001=billing,1002=sales"}

      On SIGTERM or SIGINT, twind finishes the calls in flight, writes everything to disk and exits with code 0. A
      second signal stops it at once. With --dev SIGHUP does the same, so that twind ends with its terminal; otherwise
      SIGHUP is ignored.
      """)

  @Option(help: "The Unix socket (default: $XDG_RUNTIME_DIR/twind.sock, else ./twind.sock).") var socket: String?
  @Option(help: "The directory for twins (default: ./twind-data).") var dataDir: String?
  @Flag(help: "Everyone may do everything.") var dev = false
  @Option(
    help: """
      What an acknowledged write survives, unless it asks for another level: memory (nothing), journaled (a crash of \
      twind) or synced (a loss of power) (default: journaled).
      """)
  var durability: String?
  @Option(help: "Memory for twins, at least 8MiB: 128MiB, 1GiB (default: 1GiB). Other twins are read from disk.")
  var memoryLimit: String?
  @Option(
    help: """
      Memory for requests, replies, watches and histories in progress, at least 16MiB (default: half of the memory \
      limit, at least 64MiB). When it is used up, calls are refused and the client that uses the most is disconnected.
      """)
  var bufferLimit: String?
  @Flag(
    help: """
      Allow a data directory that belongs to another user or is writable by others. They can then change twind's files.
      """)
  var allowSharedDataDir = false
  @Flag(help: "Exit with code 74 when the disk fails, for a supervisor to restart twind. Otherwise reads still work.")
  var exitOnIoError = false
  @Option(help: "Time between checkpoints: 250ms, 30s, 5m (default: 30s).") var checkpointInterval: String?
  @Option(help: "Permissions of the socket, octal (default: 600).") var socketMode: String?
  @Option(help: "Group of the socket, by name or number (default: the process's group).") var socketGroup: String?
  @Option(
    help: """
      Connections at a time, 1 to 16384 (default: 1024, or as many as the limit of open files allows). If other users \
      can connect, one user gets at most seven eighths of them. Eight more are reserved for root and twind's own user.
      """)
  var connectionsMax: String?
  @Option(help: "Threads that serve connections (default: half of the cores).") var reactors: String?
  @Option(
    help: """
      How long a serving thread polls for the next call before it sleeps, up to 1s: 50us (default: 0). Polling avoids \
      the wake-up but keeps a core busy: use it if twind has a core of its own.
      """)
  var busyPoll: String?
  @Option(help: "Agent names by user id: 1001=billing,1002=sales (default: the user names).") var agents: String?
  @Option(
    help: """
      How much history to keep for each space, and for all others (*): "acme=90d,beta=1000facts,*=all" keeps 90 days \
      (s, m, h, d) of acme, at least the newest 1000 facts of each twin of beta, and everything else (default: all). \
      Present and scheduled values are never dropped.
      """)
  var retain: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical (default: info).") var logLevel: String?
  @Option(help: "A JSON file of settings.") var config: String?
  @Flag(help: "Print the effective settings and exit.") var printConfig = false

  func run() async throws {
    let settings = try await Settings.resolve(flags: flags, file: config)
    if printConfig { return print(settings.text) }
    let daemon: Daemon
    do {
      // Who reads the banner may stop the daemon at once: signals are heard by then.
      daemon = try Daemon(settings.daemon, logger: settings.logger, whenServing: Self.printBanner)
    } catch {
      throw ValidationExit(error.description)
    }
    let group = ServiceGroup(
      services: [daemon],
      gracefulShutdownSignals: [.sigterm, .sigint] + (daemon.endsWithTerminal ? [.sighup] : []),
      logger: Logger(label: "lifecycle") { _ in
        StandardErrorLog(level: .error)
      })
    do {
      try await group.run()
    } catch let error as Daemon.Failure {
      throw ValidationExit(error.description)
    }
  }

  /// The settings on the command line.
  private var flags: [String: String] {
    let given: [String: String?] = [
      "socket": socket, "data-dir": dataDir, "dev": dev ? "true" : nil, "durability": durability,
      "memory-limit": memoryLimit, "buffer-limit": bufferLimit,
      "exit-on-io-error": exitOnIoError ? "true" : nil,
      "allow-shared-data-dir": allowSharedDataDir ? "true" : nil,
      "checkpoint-interval": checkpointInterval,
      "socket-mode": socketMode, "socket-group": socketGroup, "connections-max": connectionsMax,
      "reactors": reactors, "busy-poll": busyPoll, "agents": agents, "retain": retain,
      "log-level": logLevel,
    ]
    return given.compactMapValues { $0 }
  }

  @Sendable private static func printBanner(_ daemon: Daemon) {
    let socket = daemon.options.socket
    print(
      """
      twind \(Daemon.version)\(daemon.options.isDev ? "  (--dev: everyone may do everything)" : "")
        socket     \(socket)
        data       \(daemon.options.dataDirectory)
        twins      \(daemon.twinCount)
      try
        twinctl --socket \(socket) set acme/customer/42 email=ada@example.com
        twinctl --socket \(socket) get acme/customer/42
        twinctl --socket \(socket) watch acme/
      """)
    fflush(nil)
  }
}

/// Exits with code 1 and one line on standard error.
struct ValidationExit: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
