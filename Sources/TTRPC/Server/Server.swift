// A ttrpc server: reactors, listener, shutdown.

import Threads
import CLinux
import Glibc
import Synchronization

/// Serves a router's methods on a Unix socket.
///
///     var router = Router()
///     router.unary(HealthRoutes.check) { (request, call) throws(RPCError) in … }
///     let server = try Server(router: router)
///     try server.start(UnixListener(path: "echo.sock"))
///     …
///     server.shutdown()
public final class Server: @unchecked Sendable {
  /// The server's statistics.
  public struct Statistics: Sendable {
    public var connections = 0
    public var streams = 0
    public var calls: UInt64 = 0
    /// Memory in use for connections, see `Limits.bufferBytesMax`.
    public var bufferBytes = 0
    public var bufferBytesMax = 0

    public init() {}
  }

  /// Why a server cannot be created or started, and what to do, on one line.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let description: String

    /// A system call has just failed.
    init(_ what: String) {
      description =
        "cannot \(what): \(String(cString: strerror(errno))): raise the limits of open files (ulimit -n) and of memory, or "
        + "close something"
    }
  }

  private let router: Router
  private let limits: Limits
  /// Memory of all connections.
  public let budget: BufferBudget
  let reactors: [Reactor]
  let isOperator: @Sendable (Peer) -> Bool
  private let placesLock = Lock()
  /// Guarded by `placesLock`.
  private var places: ConnectionPlaces
  private let turn = Atomic(0)
  private let finishedCalls = Atomic<UInt64>(0)
  private let lifecycle = Lock()
  /// Guarded by `lifecycle`.
  private var phase = Phase.new

  private enum Phase {
    /// To `serving` by `start`.
    case new
    /// To `draining` by `shutdown`.
    case serving(Acceptor)
    /// To `stopped` when the calls in flight have ended.
    case draining
    /// Stays.
    case stopped
  }

  /// - Parameters:
  ///   - reactors: threads that serve; by default half of the cores, since agents need the others.
  ///   - busyPoll: how long a thread polls after the last activity before it sleeps.
  ///   - onForeignProtocol: called on a reactor's thread for clients that speak gRPC or HTTP.
  ///   - isOperator: who may use the connections of `Limits.connectionsReservedMax`; by default nobody.
  public init(
    router: Router, limits: Limits = Limits(), reactors: Int = Server.defaultReactors, busyPoll: Duration = .zero,
    isOperator: @escaping @Sendable (Peer) -> Bool = { _ in false },
    onForeignProtocol: (@Sendable (_ sentence: String, Peer) -> Void)? = nil
  ) throws(Failure) {
    self.isOperator = isOperator
    places = ConnectionPlaces(limits)
    self.router = router
    self.limits = limits
    let nanos = UInt64(max(busyPoll.nanos, 0))
    let budget = BufferBudget(bytesMax: limits.bufferBytesMax)
    self.budget = budget
    self.reactors = try (0..<max(1, reactors)).map { (_) throws(Failure) in
      try Reactor(limits: limits, busyPollNanos: nanos, budget: budget)
    }
    if let onForeignProtocol {
      for reactor in self.reactors { reactor.onForeignProtocol = { onForeignProtocol(ForeignProtocol.sentence, $1) } }
    }
    guard self.reactors.count > 1 else { return }
    for reactor in self.reactors {
      let others = Others(self.reactors.filter { $0 !== reactor })
      reactor.alarm = { _ in others.enforceBudget() }
    }
  }

  /// A reactor's siblings, which live as long as the server.
  private final class Others: Sendable {
    private let reactors: [Reactor]

    init(_ reactors: [Reactor]) { self.reactors = reactors }

    func enforceBudget() {
      for reactor in reactors { reactor.post { reactor.closeLargest(alarming: false) } }
    }
  }

  /// The name and value of each method's request limit.
  public var requestLimits: [(name: String, value: UInt64)] { router.limits }

  public static var defaultReactors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2) }

  /// The reactors, for work that must be done on each thread.
  public var executors: [any Executor] { reactors }

  /// Starts the threads and accepts connections from the listener. Call it once.
  public func start(_ listener: UnixListener) throws(Failure) {
    let first = reactors[0]
    try lifecycle.withLock { () throws(Failure) in
      guard case .new = phase else { preconditionFailure("a server is started once") }
      let acceptor = Acceptor(listener, first, self, limits)
      // Its thread does not run yet.
      guard first.add(acceptor, listener.fd, twind_readable) else { throw Failure("watch the socket") }
      phase = .serving(acceptor)
    }
    for (index, reactor) in reactors.enumerated() { reactor.start(name: "reactor-\(index)") }
  }

  /// Stops accepting connections and calls, waits up to `Limits.drainNanosMax` for the calls in flight, and ends. Do
  /// not call it on a reactor's thread. A second call returns at once.
  public func shutdown() {
    let acceptor: Acceptor? = lifecycle.withLock {
      guard case .serving(let acceptor) = phase else { return nil }
      phase = .draining
      return acceptor
    }
    guard let acceptor else { return }
    let first = reactors[0]
    onEach { reactor in
      if reactor === first { acceptor.stop() }
      return 0
    }
    // All that was accepted has come to its reactor by now.
    onEach { reactor in
      for connection in reactor.connections { connection.drain() }
      return 0
    }
    acceptor.listener.removePath()
    let deadline = twind_monotonic_nanos() + limits.drainNanosMax
    while twind_monotonic_nanos() < deadline && onEach({ $0.connections.count { !$0.isIdle } }) > 0 { usleep(2000) }
    lifecycle.withLock {
      phase = .stopped
      for reactor in reactors { reactor.stop() }
    }
  }

  /// Statistics of all reactors. Do not call it on a reactor's thread, since it waits for each reactor.
  public func statistics() -> Statistics {
    var sum = Statistics()
    lifecycle.withLock {
      sum.calls = finishedCalls.load(ordering: .relaxed)
      switch phase {
      case .new, .stopped: return
      case .serving, .draining: countLive(&sum)
      }
    }
    return sum
  }

  private func countLive(_ sum: inout Statistics) {
    sum.connections = onEach { $0.connections.count }
    sum.streams = onEach { $0.connections.reduce(0) { $0 + $1.session.streamCount } }
    sum.bufferBytes = budget.byteCount
    sum.bufferBytesMax = limits.bufferBytesMax
    sum.calls += UInt64(onEach { $0.connections.reduce(0) { $0 + Int($1.session.callCount) } })
  }

  // MARK: For the acceptor

  /// Reserves a connection for the peer.
  func takePlace(_ peer: Peer) throws(ConnectionPlaces.Denial) -> Seat {
    let isOperator = isOperator(peer)
    let place = try placesLock.withLock { () throws(ConnectionPlaces.Denial) in
      try places.take(peer.uid, isOperator: isOperator)
    }
    return Seat(place) { [self] in placesLock.withLock { places.leave(place, peer.uid) } }
  }

  var isCrowded: Bool { placesLock.withLock { places.isCrowded } }

  /// The error for a peer whose connection is refused.
  func refusal(_ denial: ConnectionPlaces.Denial, _ peer: Peer) -> RPCError {
    let isOperator = isOperator(peer)
    return placesLock.withLock { places.refusal(denial, peer.uid, isOperator: isOperator) }
  }

  func serve(_ fd: Int32, _ peer: Peer, _ seat: Seat) {
    let index = turn.add(1, ordering: .relaxed).oldValue % reactors.count
    let reactor = reactors[index]
    reactor.post { [self] in
      Connection(fd, router: router, peer: peer, reactor: reactor, seat: seat) { connection in
        self.finishedCalls.add(connection.session.callCount, ordering: .relaxed)
      }.open()
    }
  }

  /// Closes one connection that may be closed, on the first reactor that has one. Calls back on a reactor's thread when
  /// its place is free.
  func vacate(_ vacancy: Vacancy, _ reason: RPCError, _ done: @escaping @Sendable (Bool) -> Void) {
    ask(reactors[...], vacancy, reason, done)
  }

  private func ask(
    _ rest: ArraySlice<Reactor>, _ vacancy: Vacancy, _ reason: RPCError, _ done: @escaping @Sendable (Bool) -> Void
  ) {
    guard let reactor = rest.first else { return done(false) }
    reactor.post { [self] in
      let hasFound = reactor.close(vacancy, countMax: 1, because: reason) > 0
      // In its next turn: then the descriptor is closed.
      reactor.post { [self] in hasFound ? done(true) : ask(rest.dropFirst(), vacancy, reason, done) }
    }
  }

  /// Closes all connections that the vacancy allows.
  func closeAll(_ vacancy: Vacancy, _ reason: RPCError) {
    for reactor in reactors { reactor.post { _ = reactor.close(vacancy, countMax: .max, because: reason) } }
  }

  /// Runs the body on every reactor and adds up the results. A reactor that does not answer in time has stopped and is
  /// ignored.
  @discardableResult
  private func onEach(_ body: @escaping @Sendable (Reactor) -> Int) -> Int {
    let tally = Tally()
    for reactor in reactors { reactor.post { tally.add(body(reactor)) } }
    return tally.sum(of: reactors.count, until: twind_monotonic_nanos() + Self.answerNanosMax)
  }

  private static let answerNanosMax: UInt64 = 1_000_000_000

  /// Adds up what several threads count.
  private final class Tally: @unchecked Sendable {
    private let lock = Lock()
    private let done: Condition
    private var sum = 0
    private var finished = 0

    init() { done = Condition(lock) }

    func add(_ count: Int) {
      lock.withLock {
        sum += count
        finished += 1
        done.broadcast()
      }
    }

    func sum(of count: Int, until deadline: UInt64) -> Int {
      lock.withLock {
        while finished < count && twind_monotonic_nanos() < deadline { done.wait(until: deadline) }
        return sum
      }
    }
  }
}
