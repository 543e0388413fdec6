// A ttrpc server: reactors, the listener, and an orderly end.

import Threads
import CLinux
import Glibc
import Synchronization

/// Serves a router's methods on a Unix socket.
///
///     var router = Router()
///     router.unary(HealthRoutes.check) { (request, call) throws(RPCError) in … }
///     let server = Server(router: router)
///     try server.start(UnixListener(path: "echo.sock"))
///     …
///     server.shutdown()
public final class Server: @unchecked Sendable {
  /// What the server is doing now.
  public struct Statistics: Sendable {
    public var connections = 0
    public var streams = 0
    public var calls: UInt64 = 0
    /// Memory held for what is under way, see `Limits.bufferBytesMax`.
    public var bufferBytes = 0

    public init() {}
  }

  private let router: Router
  private let limits: Limits
  /// Memory of all connections.
  public let budget: BufferBudget
  private let reactors: [Reactor]
  private let connectionCount = Atomic(0)
  private let turn = Atomic(0)
  private let finishedCalls = Atomic<UInt64>(0)
  private let lifecycle = Lock()
  /// Guarded by `lifecycle`.
  private var phase = Phase.new

  private enum Phase {
    /// To `serving` by `start`.
    case new
    /// To `draining` by `shutdown`.
    case serving(UnixListener)
    /// To `stopped` when the calls in flight have ended.
    case draining
    /// Stays.
    case stopped
  }

  /// - Parameters:
  ///   - reactors: threads that serve; by default half of the cores, for the agents need the others.
  ///   - busyPoll: how long a thread goes on looking for more after the last activity, before it sleeps.
  public init(
    router: Router, limits: Limits = Limits(), reactors: Int = Server.defaultReactors, busyPoll: Duration = .zero
  ) {
    self.router = router
    self.limits = limits
    let nanos = UInt64(max(busyPoll.nanos, 0))
    let budget = BufferBudget(bytesMax: limits.bufferBytesMax)
    self.budget = budget
    self.reactors = (0..<max(1, reactors)).map { _ in Reactor(limits: limits, busyPollNanos: nanos, budget: budget) }
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

  public static var defaultReactors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2) }

  /// The threads, for those who have something to do on each.
  public var executors: [any Executor] { reactors }

  /// Starts the threads and takes connections from the listener. Once.
  public func start(_ listener: UnixListener) {
    lifecycle.withLock {
      guard case .new = phase else { preconditionFailure("a server is started once") }
      phase = .serving(listener)
    }
    for (index, reactor) in reactors.enumerated() { reactor.start(name: "reactor-\(index)") }
    let first = reactors[0]
    first.post {
      let added = first.add(Acceptor(listener, first, self), listener.fd, twind_readable)
      precondition(added, "epoll_ctl failed: errno \(errno)")
    }
  }

  /// Stops taking connections and calls, waits for the calls in flight within `Limits.drainNanosMax`, and ends. Not to be
  /// called on a reactor's thread. A second call returns at once.
  public func shutdown() {
    let listener: UnixListener? = lifecycle.withLock {
      guard case .serving(let listener) = phase else { return nil }
      phase = .draining
      return listener
    }
    guard let listener else { return }
    let first = reactors[0]
    onEach { reactor in
      if reactor === first { first.remove(listener.fd) }
      return 0
    }
    // All that was accepted has come to its reactor by now.
    onEach { reactor in
      for connection in reactor.connections { connection.drain() }
      return 0
    }
    listener.removePath()
    let deadline = twind_monotonic_nanos() + limits.drainNanosMax
    while twind_monotonic_nanos() < deadline && onEach({ $0.connections.count { !$0.isIdle } }) > 0 { usleep(2000) }
    lifecycle.withLock {
      phase = .stopped
      for reactor in reactors { reactor.stop() }
    }
  }

  /// Counts over all reactors, each of which is asked: not to be called on a reactor's thread.
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
    sum.calls += UInt64(onEach { $0.connections.reduce(0) { $0 + Int($1.session.callCount) } })
  }

  // MARK: For the acceptor

  func accepted(_ fd: Int32) {
    guard connectionCount.load(ordering: .relaxed) < limits.connectionsMax else { return refuse(fd) }
    guard let peer = Peer(socket: fd) else {
      close(fd)
      return
    }
    connectionCount.add(1, ordering: .relaxed)
    let index = turn.add(1, ordering: .relaxed).oldValue % reactors.count
    let reactor = reactors[index]
    reactor.post { [self] in
      Connection(fd, router: router, peer: peer, reactor: reactor) { connection in
        self.connectionCount.subtract(1, ordering: .relaxed)
        self.finishedCalls.add(connection.session.callCount, ordering: .relaxed)
      }.open()
    }
  }

  /// Tells a client that there is no room for it. Few are told at a time: a flood of them is just closed.
  private func refuse(_ fd: Int32) {
    let first = reactors[0]
    guard first.refusals < Self.refusalsMax else {
      close(fd)
      return
    }
    Refusal(fd, first).open(
      RPCError(
        .resourceExhausted,
        "the server has \(limits.connectionsMax) connections (connectionsMax): close one, or raise the limit"))
  }

  private static let refusalsMax = 64

  /// Runs the body on every reactor and adds up what it returns. One that does not answer in time counts as nothing:
  /// it has stopped.
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
