// A reactor: one thread, one epoll instance, and the connections that it owns.
//
// A connection stays on its reactor and needs no locks. Other threads reach it with `post`. Reactor+Turn.swift has the
// turns of the loop.
//
// Properties used in a turn skip Swift's run-time exclusivity checks, see `Connection`.

import CLinux
import DequeModule
import Glibc
import Synchronization
import Threads

/// An event loop.
package final class Reactor: Executor, @unchecked Sendable {
  let limits: Limits
  /// Shared by all reactors of the server.
  let budget: BufferBudget
  let arena = Arena()
  /// Lent to the connection that is being read, if it has no buffer of its own.
  @exclusivity(unchecked) var spareInput = ReceiveBuffer(capacity: 64 << 10)
  /// Lent in the same way for replies. It keeps the largest size that was needed, at most a few times `frameBytesMax`:
  /// allocating and clearing that memory for each large reply would cost more than filling it.
  @exclusivity(unchecked) var spareOutput = SendBuffer()

  /// Serving threads sleep and wake all the time, and should not wait for other threads' time slices on busy cores.
  private static let sliceNanos: UInt64 = 100_000

  let busyPollNanos: UInt64
  let epoll: Epoll
  let wakeup: Wakeup
  private let jobLock = Lock()
  /// Protected by `jobLock`.
  private var posted: [(call: ServerCall?, job: Job)] = []
  /// Jobs that wait for nobody. Protected by `jobLock`.
  private var urgent: [Job] = []
  /// Swapped with `posted`, so that both keep their memory.
  @exclusivity(unchecked) private var taken: [(call: ServerCall?, job: Job)] = []
  /// Pending jobs that belong to no connection.
  @exclusivity(unchecked) var jobs: Deque<Job> = []
  /// Indexed by descriptor; the system assigns the lowest free numbers.
  @exclusivity(unchecked) var watched: [Watched] = []
  /// Descriptors with pending events or work. The wake-up's descriptor is for `jobs`.
  @exclusivity(unchecked) var backlog = LeastServed<Int32>()
  /// Sources removed in this turn are kept until its end, since they may be running.
  @exclusivity(unchecked) var closed: [(fd: Int32?, source: any EventSource)] = []
  /// Called for clients that speak another protocol.
  var onForeignProtocol: (@Sendable (ForeignProtocol, Peer) -> Void)?
  @exclusivity(unchecked) var timers = TimerQueue()
  @exclusivity(unchecked) var running = true
  private var thread: Thread?
  /// Incremented for everything that arrives from outside.
  @exclusivity(unchecked) var activity: UInt64 = 0
  /// The connection that sent last; nil if it is gone.
  @exclusivity(unchecked) var lastHeard: Unmanaged<Connection>?

  typealias Job = () -> Void

  /// A watched descriptor.
  struct Watched {
    /// nil: the number is not in use.
    var source: (any EventSource)?
    /// Pending events; 0: none.
    var late: UInt32 = 0
    /// Whether its last turn took long.
    var isSlow = false
    /// Whether it is in the backlog. It stays there if its source is removed; a new source with the same number takes
    /// over.
    var isQueued = false
  }

  /// - Parameter busyPollNanos: how long it polls before it sleeps; 0: not at all.
  package init(limits: Limits, busyPollNanos: UInt64 = 0, budget: BufferBudget? = nil) throws(Server.Failure) {
    epoll = try Epoll()
    wakeup = try Wakeup()
    self.limits = limits
    self.budget = budget ?? BufferBudget(bytesMax: limits.bufferBytesMax)
    self.busyPollNanos = busyPollNanos
    guard epoll.add(wakeup.fd, twind_readable) else { throw Server.Failure("watch an eventfd") }
    makeRoom(wakeup.fd)
  }

  /// Starts the thread.
  package func start(name: String) {
    thread = Thread(name: name) {
      _ = twind_set_slices(Self.sliceNanos)
      self.run()
    }
  }

  package func post(for call: ServerCall?, _ job: @escaping @Sendable () -> Void) {
    let wasEmpty = jobLock.withLock {
      posted.append((call, job))
      return posted.count == 1
    }
    if wasEmpty { wakeup.signal() }
  }

  /// Runs a job, which must be short, before all others that wait: as soon as the piece of work at hand is done.
  func postUrgent(_ job: @escaping @Sendable () -> Void) {
    jobLock.withLock { urgent.append(job) }
    wakeup.signal()
  }

  /// Distributes posted jobs to their connections.
  func takeJobs() {
    activity &+= 1
    wakeup.clear()
    let urgent = jobLock.withLock {
      swap(&posted, &taken)
      defer { self.urgent = [] }
      return self.urgent
    }
    for job in urgent { job() }
    for (call, job) in taken {
      if let connection = call?.host as? Connection { connection.take(job) } else { take(job) }
    }
    taken.removeAll(keepingCapacity: true)
  }

  /// A job that belongs to no connection, or to one that has ended.
  func take(_ job: @escaping Job) {
    jobs.append(job)
    enqueue(wakeup.fd)
  }

  /// Ends the loop and waits for the thread. Closes all connections, and runs the jobs posted so far.
  package func stop() {
    post { self.running = false }
    thread?.join()
  }

  // MARK: For the sources, on the reactor's thread

  /// Watches a descriptor. False if the kernel refuses.
  func add(_ source: any EventSource, _ fd: Int32, _ events: UInt32) -> Bool {
    guard epoll.add(fd, events) else { return false }
    makeRoom(fd)
    watched[Int(fd)] = Watched(source: source, isQueued: watched[Int(fd)].isQueued)
    return true
  }

  private func makeRoom(_ fd: Int32) {
    let missing = Int(fd) + 1 - watched.count
    if missing > 0 { watched.append(contentsOf: repeatElement(Watched(), count: missing)) }
  }

  func change(_ fd: Int32, _ events: UInt32) { epoll.change(fd, events) }

  /// Removes and closes a descriptor. Its number stays in use until the turn ends, so that no event of this turn can
  /// reach a new source.
  func remove(_ fd: Int32) {
    guard let source = source(fd) else { return }
    if let last = lastHeard?.takeUnretainedValue(), last === source { lastHeard = nil }
    watched[Int(fd)] = Watched(isQueued: watched[Int(fd)].isQueued)
    timers.remove(UInt64(fd))
    epoll.remove(fd)
    closed.append((fd, source))
  }

  /// Hands the descriptor over to another source, which waits for input.
  func replace(_ fd: Int32, with source: any EventSource) {
    guard let before = self.source(fd) else { return }
    if let last = lastHeard?.takeUnretainedValue(), last === before { lastHeard = nil }
    watched[Int(fd)] = Watched(source: source, isQueued: watched[Int(fd)].isQueued)
    timers.remove(UInt64(fd))
    epoll.change(fd, twind_readable)
    closed.append((nil, before))
  }

  /// Calls `timer` of the descriptor's source at this time, instead of the time set before.
  func wake(_ fd: Int32, at nanos: UInt64) { timers.set(UInt64(fd), to: nanos) }

  /// Queues the source's work. It is done when no other waiting source has been served less.
  func enqueue(_ fd: Int32) {
    guard !watched[Int(fd)].isQueued else { return }
    watched[Int(fd)].isQueued = true
    backlog.add(fd)
  }

  /// Refused connections that are still open.
  var refusals: Int { watched.count { ($0.source as? Refusal)?.isOfNewcomer ?? false } }

  var connections: [Connection] { watched.compactMap { $0.source as? Connection } }

  @inline(__always)
  func source(_ fd: Int32) -> (any EventSource)? { watched.indices.contains(Int(fd)) ? watched[Int(fd)].source : nil }

  // MARK: Memory

  @exclusivity(unchecked) private var isEnforcing = false
  /// Asks the server's other reactors to enforce the budget too.
  var alarm: (@Sendable (Reactor) -> Void)?

  /// Checks the budget after memory was counted. If it is exceeded, connections that use more than their share are
  /// closed.
  @inline(__always)
  func enforceBudget() {
    if budget.isExceeded { closeLargest(alarming: true) }
  }

  /// Closes this reactor's connections that use more than a fair share, the largest first, until the budget is met.
  func closeLargest(alarming: Bool) {
    if isEnforcing { return }
    isEnforcing = true
    defer { isEnforcing = false }
    while budget.isExceeded {
      guard let largest = connections.max(by: { $0.heldBytes < $1.heldBytes }), largest.heldBytes > budget.fairBytes
      else {
        if alarming { alarm?(self) }
        return
      }
      let before = largest.heldBytes
      largest.giveUp()
      if largest.heldBytes >= before { largest.close() }
    }
  }
}

/// A source of events for a reactor.
protocol EventSource: AnyObject {
  func ready(_ events: UInt32)
  /// Whether `work` has something to do. It was queued with `enqueue`.
  var hasWork: Bool { get }
  /// Does one piece of the work.
  func work()
  /// Called at the time set with `wake`.
  func timer(_ now: UInt64)
  func close()
}

extension EventSource {
  var hasWork: Bool { false }
  func work() {}
}
