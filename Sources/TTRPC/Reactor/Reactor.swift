// One thread, one epoll, the connections that it owns.
//
// A connection lives and dies on its reactor; nothing of it is locked. Other threads reach it with `post`. What a turn of
// the loop does is in Reactor+Turn.swift.
//
// What a turn touches goes without Swift's check of that at run time, see `Connection`.

import CLinux
import DequeModule
import Glibc
import Synchronization
import Threads

/// An event loop.
package final class Reactor: Executor, @unchecked Sendable {
  let limits: Limits
  /// Of all reactors of the server together.
  let budget: BufferBudget
  let arena = Arena()
  /// Lent to the connection that is being read while it has no buffer of its own.
  @exclusivity(unchecked) var spareInput = ReceiveBuffer(capacity: 64 << 10)
  /// Lent likewise for what it answers. It stays as large as the largest that was needed, a few times `frameBytesMax` at
  /// most: taking and clearing that memory anew for each large reply costs more than filling it.
  @exclusivity(unchecked) var spareOutput = SendBuffer()

  /// A thread that serves sleeps and wakes all the time: on busy cores it is not to wait for others' slices.
  private static let sliceNanos: UInt64 = 100_000

  let busyPollNanos: UInt64
  let epoll: Epoll
  let wakeup: Wakeup
  private let jobLock = Lock()
  /// Guarded by `jobLock`.
  private var posted: [(call: ServerCall?, job: Job)] = []
  /// Its memory takes turns with that of `posted`.
  @exclusivity(unchecked) private var taken: [(call: ServerCall?, job: Job)] = []
  /// Jobs of no connection that have not run.
  @exclusivity(unchecked) var jobs: Deque<Job> = []
  /// By descriptor: the system gives out the lowest numbers that are free.
  @exclusivity(unchecked) var watched: [Watched] = []
  /// Descriptors with events or work that waits; that of the wakeup stands for `jobs`.
  @exclusivity(unchecked) var backlog = LeastServed<Int32>()
  /// Who was removed in this turn stays alive to its end: it may be at work.
  @exclusivity(unchecked) var closed: [(fd: Int32?, source: any EventSource)] = []
  /// Told of clients that speak something else.
  var onForeignProtocol: (@Sendable (ForeignProtocol, Peer) -> Void)?
  @exclusivity(unchecked) var timers = TimerQueue()
  @exclusivity(unchecked) var running = true
  private var thread: Thread?
  /// Grows with everything that comes from outside.
  @exclusivity(unchecked) var activity: UInt64 = 0
  /// Whose bytes came last; nil when it is gone.
  @exclusivity(unchecked) var lastHeard: Unmanaged<Connection>?

  typealias Job = () -> Void

  /// A descriptor that is watched.
  struct Watched {
    /// Nil: the number is not in use.
    var source: (any EventSource)?
    /// Events that wait; 0 = none do.
    var late: UInt32 = 0
    /// Its last turn took long.
    var isSlow = false
    /// It is in the backlog. So it stays when its source is removed: a newcomer with the same number takes that place.
    var isQueued = false
  }

  /// - Parameter busyPollNanos: how long it goes on looking before it sleeps; 0 = not at all.
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

  /// Takes the jobs that were posted and hands them to their connections.
  func takeJobs() {
    activity &+= 1
    wakeup.clear()
    jobLock.withLock { swap(&posted, &taken) }
    for (call, job) in taken {
      if let connection = call?.host as? Connection { connection.take(job) } else { take(job) }
    }
    taken.removeAll(keepingCapacity: true)
  }

  /// A job of no connection, or of one that has ended.
  func take(_ job: @escaping Job) {
    jobs.append(job)
    enqueue(wakeup.fd)
  }

  /// Ends the loop and waits for the thread. All connections are closed; jobs posted so far are run.
  package func stop() {
    post { self.running = false }
    thread?.join()
  }

  // MARK: For the sources, on the reactor's thread

  /// Watches a descriptor. False when the kernel refuses.
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

  /// Forgets and closes a descriptor. Its number stays taken until the turn ends, so that no event of this turn can
  /// reach a newcomer.
  func remove(_ fd: Int32) {
    guard let source = source(fd) else { return }
    if let last = lastHeard?.takeUnretainedValue(), last === source { lastHeard = nil }
    watched[Int(fd)] = Watched(isQueued: watched[Int(fd)].isQueued)
    timers.remove(UInt64(fd))
    epoll.remove(fd)
    closed.append((fd, source))
  }

  /// Another source takes the descriptor over, and waits for what can be read.
  func replace(_ fd: Int32, with source: any EventSource) {
    guard let before = self.source(fd) else { return }
    if let last = lastHeard?.takeUnretainedValue(), last === before { lastHeard = nil }
    watched[Int(fd)] = Watched(source: source, isQueued: watched[Int(fd)].isQueued)
    timers.remove(UInt64(fd))
    epoll.change(fd, twind_readable)
    closed.append((nil, before))
  }

  /// Calls `timer` of the descriptor's source at that time, and no more at the one set before.
  func wake(_ fd: Int32, at nanos: UInt64) { timers.set(UInt64(fd), to: nanos) }

  /// The descriptor's source has work: it is done when nobody else who waits has been served less.
  func enqueue(_ fd: Int32) {
    guard !watched[Int(fd)].isQueued else { return }
    watched[Int(fd)].isQueued = true
    backlog.add(fd)
  }

  /// Refused connections that have not gone yet.
  var refusals: Int { watched.count { ($0.source as? Refusal)?.isOfNewcomer ?? false } }

  var connections: [Connection] { watched.compactMap { $0.source as? Connection } }

  @inline(__always)
  func source(_ fd: Int32) -> (any EventSource)? { watched.indices.contains(Int(fd)) ? watched[Int(fd)].source : nil }

  // MARK: Memory

  @exclusivity(unchecked) private var isEnforcing = false
  /// Asks the server's other reactors to enforce the budget too.
  var alarm: (@Sendable (Reactor) -> Void)?

  /// Something was counted: the budget is kept, or those pay who hold more than their part.
  @inline(__always)
  func enforceBudget() {
    if budget.isExceeded { closeLargest(alarming: true) }
  }

  /// Ends this reactor's connections that hold more than a fair part, the largest first, until the budget is kept.
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

/// Something that a reactor watches.
protocol EventSource: AnyObject {
  func ready(_ events: UInt32)
  /// Whether `work` has something to do. It has asked for it with `enqueue`.
  var hasWork: Bool { get }
  /// Does one piece of the work.
  func work()
  /// The time asked for with `wake` has come.
  func timer(_ now: UInt64)
  func close()
}

extension EventSource {
  var hasWork: Bool { false }
  func work() {}
}
