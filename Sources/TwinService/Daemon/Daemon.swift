// The daemon: how its parts are started and stopped.

import Threads
import CLinux
import Dispatch
import Glibc
import Logging
import ServiceLifecycle
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

/// A running twind.
package final class Daemon: Service {
  /// The daemon's semantic version.
  package static let version = "0.1.0"
  /// The exit code when the daemon cannot write any more.
  private static let ioErrorExitCode: Int32 = 74
  /// Blocks of memory of at least this size are returned to the system when they are freed.
  private static let returnedBlockBytesMin: Int32 = 256 << 10

  /// Why the daemon cannot start, and what to do, on one line.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  package let options: DaemonOptions
  /// Whether SIGHUP stops the daemon: with --dev, unless it was started with nohup. Otherwise SIGHUP is ignored.
  package let endsWithTerminal: Bool
  private let logger: Logger
  private let store: Store
  private let lanes: Lanes
  private let server: Server
  private let health: HealthService
  private let listener: UnixListener
  private let checkpoints: CheckpointRunner
  private let syncs: SyncRunner
  private let whenServing: @Sendable (Daemon) -> Void

  /// Opens the data directory and the socket. Does not serve yet.
  ///
  /// - Parameter whenServing: called once, when calls are served and signals are handled.
  package init(
    _ options: DaemonOptions, logger: Logger, whenServing: @escaping @Sendable (Daemon) -> Void = { _ in }
  ) throws(Failure) {
    endsWithTerminal = Self.takeSignals(options)
    // What it makes is its own user's alone, the database and SQLite's files beside it included.
    umask(0o077)
    // What a peer with large frames made it take goes back when the peer is gone.
    _ = twind_return_blocks_from(Self.returnedBlockBytesMin)
    try AddressSpace.check(memoryLimit: options.store.memoryBytesMax, bufferLimit: options.bufferLimit)
    let (limits, descriptors) = try Self.limits(options)
    do {
      var progress = StartProgress(logger)
      store = try Store(directory: options.dataDirectory, options: options.store, progress: { progress.note($0) })
    } catch {
      throw Failure(description: error.description)
    }
    do {
      // Under the data directory's lock, so that a stale socket is nobody's.
      listener = try UnixListener(path: options.socket, mode: options.socketMode, group: options.socketGroup)
    } catch {
      try? store.close()
      throw Failure(description: error.description)
    }
    self.options = options
    self.logger = logger
    self.whenServing = whenServing
    lanes = Lanes()
    let health = HealthService()
    self.health = health
    let twins = TwinService(store: store, agents: Agents(configured: options.agents), lanes: lanes)
    do {
      server = try Self.server(options, limits, descriptors, twins, health, logger)
    } catch {
      listener.removePath()
      lanes.stop()
      try? store.close()
      throw Failure(description: error.description)
    }
    checkpoints = CheckpointRunner(
      store, interval: options.checkpointInterval, buffers: server.budget, logger: logger)
    syncs = SyncRunner(store, logger: logger) { [exits = options.exitsOnIOError] failure in
      logger.critical("writes are refused until a restart; reads still work: \(failure)")
      health.setAll(.notServing)
      if exits { _exit(Self.ioErrorExitCode) }
    }
    if let warning = descriptors.warning { logger.warning("\(warning)") }
    report(store.recovery)
  }

  /// Ignores signals that have no meaning here. True if SIGHUP must stop the daemon.
  private static func takeSignals(_ options: DaemonOptions) -> Bool {
    for number in [SIGPIPE, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
    var inherited = sigaction()
    sigaction(SIGHUP, nil, &inherited)
    let isIgnored = inherited.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) == 1 } ?? false
    if options.isDev && !isIgnored { return true }
    signal(SIGHUP, SIG_IGN)
    return false
  }

  /// Logs what the start found, if there is anything to report.
  private func report(_ recovery: RecoveryReport) {
    if let format = recovery.migratedFrom {
      logger.notice(
        "migrated the database: an older twind cannot open it any more", metadata: ["from_format": "\(format)"])
    }
    if recovery.isClean && recovery.commitCount == 0 { return }
    var metadata: Logger.Metadata = [
      "twins": "\(recovery.twinCount)", "commits_replayed": "\(recovery.commitCount)",
      "bytes_cut": "\(recovery.bytesCut)", "micros": "\(recovery.durationMicros)",
    ]
    if let jump = recovery.jump { metadata["jump"] = "\(jump.lowerBound)-\(jump.upperBound)" }
    logger.notice("recovered after an unclean stop", metadata: metadata)
    guard recovery.bytesCut > 0 else { return }
    logger.warning(
      "the incomplete end of the journal was dropped; none of it was acknowledged as SYNCED",
      metadata: ["bytes": "\(recovery.bytesCut)", "commits": "\(recovery.commitsCut)"])
  }

  /// How many twins exist.
  package var twinCount: Int { store.stats.twinCount }

  /// Serves until the process is told to stop, then drains, checkpoints and returns.
  package func run() async throws {
    syncs.start()
    checkpoints.start()
    try server.start(listener)
    logger.info("serving", metadata: ["socket": "\(options.socket)", "sequence": "\(store.head)"])
    whenServing(self)
    try? await gracefulShutdown()
    let secondSignals = await exitOnSecondSignal()
    defer { secondSignals.forEach { $0.cancel() } }
    logger.info("stopping after the calls in flight; send a second signal to stop at once")
    let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
      Thread.detached(name: "shutdown") { [self] in continuation.resume(returning: Result { try shutdown() }) }
    }
    try result.get()
  }

  private func shutdown() throws {
    health.setAll(.notServing)
    server.shutdown()
    lanes.stop()
    checkpoints.stop()
    syncs.stop()
    do {
      try store.close()
      logger.info("stopped", metadata: ["sequence": "\(store.head)"])
    } catch {
      throw Failure(
        description: "the last checkpoint failed; nothing is lost, the journal still has all changes: \(error)")
    }
  }

  /// From now on, another signal ends the process at once.
  ///
  /// Signals reach nobody but Dispatch once it watches them, as the service group lets it: a handler would not run.
  private func exitOnSecondSignal() async -> [any DispatchSourceSignal] {
    var sources: [any DispatchSourceSignal] = []
    for number in [SIGTERM, SIGINT] {
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { _exit(128 + number) }
      await withCheckedContinuation { registered in
        source.setRegistrationHandler { registered.resume() }
        source.activate()
      }
      sources.append(source)
    }
    return sources
  }

  /// The server's limits, within the system's.
  private static func limits(_ options: DaemonOptions) throws(Failure) -> (TTRPC.Limits, Descriptors) {
    var limits = TTRPC.Limits()
    limits.bufferBytesMax = options.bufferLimit
    limits.detail = { RPCError.Detail($0) }
    let descriptors = try Descriptors.reserve(
      connections: options.connectionsMax, limits: limits, reactors: options.reactors)
    limits.connectionsMax = descriptors.connectionsMax
    if options.admitsOtherUsers {
      limits.connectionsPerUserMax = Self.connectionsPerUserMax(of: descriptors.connectionsMax)
    }
    return (limits, descriptors)
  }

  /// One eighth is reserved for other users, unless nobody else can connect.
  private static func connectionsPerUserMax(of connectionsMax: Int) -> Int {
    max(1, connectionsMax - max(1, connectionsMax / 8))
  }

  private static func server(
    _ options: DaemonOptions, _ limits: TTRPC.Limits, _ descriptors: Descriptors, _ twins: TwinService,
    _ health: HealthService, _ logger: Logger
  ) throws(Server.Failure) -> Server {
    let identity = AdminService.Identity(
      version: version, socket: absolute(options.socket), dataDirectory: absolute(options.dataDirectory),
      isDev: options.isDev, startTime: twind_wall_micros(), rpcLimits: limits,
      descriptorsMax: descriptors.needed)
    let counter = ServerCounter()
    var router = Router(operators: AdminService.authorize)
    twins.register(in: &router)
    AdminService(
      identity, twins: twins, statistics: { counter.server?.statistics() ?? Server.Statistics() },
      requestLimits: { counter.server?.requestLimits ?? [] },
      droppedLogLines: { StandardErrorLog.dropped.load(ordering: .relaxed) }
    ).register(in: &router)
    health.register(in: &router)
    let server = try Server(
      router: router, limits: limits, reactors: options.reactors, busyPoll: options.busyPoll,
      isOperator: AdminService.isOperator, onForeignProtocol: ForeignCallers(logger).note)
    counter.server = server
    return server
  }

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + path
  }
}

/// Breaks a cycle: the server needs the router, and the admin service in the router needs the server. Set before it is
/// read.
private final class ServerCounter: @unchecked Sendable {
  weak var server: Server?
}
