// twind serve: the daemon itself.

import ArgumentParser
import Glibc
import Logging
import ServiceLifecycle
import TwinService

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve twins until told to stop (the default).",
    discussion: """
      Settings come from options, then from TWIND_* variables, then from the configuration file, then from the
      defaults shown. A configuration file is a JSON object whose keys are the options' names:

        {"socket": "/run/twind/twind.sock", "checkpoint-interval": "5s", "agents": "1001=billing,1002=sales"}

      SIGTERM and SIGINT finish the calls in flight, write everything to disk and exit 0. A second one stops at once.
      With --dev, SIGHUP does the same, so that twind ends with its terminal; else it is ignored.
      """)

  @Option(help: "The Unix socket (default: $XDG_RUNTIME_DIR/twind.sock, else ./twind.sock).") var socket: String?
  @Option(help: "Where twins are kept (default: ./twind-data).") var dataDir: String?
  @Flag(help: "Everyone may do everything.") var dev = false
  @Option(
    help: """
      What a write has survived when it is acknowledged, unless it says otherwise: memory (nothing), journaled (a crash of \
      twind) or synced (loss of power) (default: journaled).
      """)
  var durability: String?
  @Option(help: "Bytes kept in memory, at least 8MiB: 128MiB, 1GiB (default: 1GiB). Other twins are read from disk.")
  var memoryLimit: String?
  @Option(
    help: """
      Bytes for all that is under way and not twins: requests, replies, watches, histories, at least 16MiB (default: half of \
      the memory limit, at least 64MiB). Past it calls are refused, and who holds the most is disconnected.
      """)
  var bufferLimit: String?
  @Flag(
    help: """
      Use a data directory that belongs to another user, or that others may write: they can then change what twind keeps.
      """)
  var allowSharedDataDir = false
  @Flag(help: "Exit with code 74 when the disk fails, for a supervisor to restart twind; without it reads go on.")
  var exitOnIoError = false
  @Option(help: "Time between checkpoints: 250ms, 30s, 5m (default: 30s).") var checkpointInterval: String?
  @Option(help: "Permissions of the socket, octal (default: 600).") var socketMode: String?
  @Option(help: "Group of the socket, by name or number (default: the process's).") var socketGroup: String?
  @Option(
    help: """
      Connections at a time, 1 to 16384 (default: 1024, or as many as the limit of open files allows). Where other users may \
      connect, one user gets at most seven eighths of them. Eight more are kept for root and twind's own user.
      """)
  var connectionsMax: String?
  @Option(help: "Threads that serve (default: half of the cores).") var reactors: String?
  @Option(
    help: """
      How long a thread that serves goes on looking for the next call before it sleeps, up to 1s: 50us (default: 0). It \
      takes a core meanwhile, and saves waking it: worth it where twind has a core of its own.
      """)
  var busyPoll: String?
  @Option(help: "Agents by user: 1001=billing,1002=sales (default: the users' names).") var agents: String?
  @Option(
    help: """
      History to keep, by space and for all others (*): "acme=90d,beta=1000facts,*=all" keeps 90 days (s, m, h, d) of \
      acme, at least the newest 1000 facts of each twin of beta, and else all (default: all). What a twin is, and will \
      be, is never dropped.
      """)
  var retain: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical (default: info).") var logLevel: String?
  @Option(help: "A JSON file of settings.") var config: String?
  @Flag(help: "Print the settings in force and exit.") var printConfig = false

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

  /// What was given on the command line, by setting.
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

/// One line on standard error and exit code 1.
struct ValidationExit: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
