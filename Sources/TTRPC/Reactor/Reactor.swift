// One thread, one epoll, the connections that it owns.
//
// A connection lives and dies on its reactor; nothing of it is locked. Other threads reach it with `post`. Each turn of
// the loop reads once from every readable connection, handles whole frames within the bounds of a turn, and writes once:
// no connection can hold the others up by more than that, or by a few small calls while it is polled.
//
// What a turn touches goes without Swift's check of that at run time, see `Connection`.
//
// Told to busy-poll, it does not sleep before nothing has come for that long: waking a thread on another core costs
// several times what a read does.

import Threads
import CLinux
import Glibc
import Synchronization

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

  private let busyPollNanos: UInt64
  private let epoll: Epoll
  private let wakeup: Wakeup
  private let jobLock = Lock()
  private var jobs: [@Sendable () -> Void] = []
  /// By descriptor: the system gives out the lowest numbers that are free.
  @exclusivity(unchecked) private var sources: [(any EventSource)?] = []
  /// Who was removed in this turn stays alive to its end: it may be at work.
  @exclusivity(unchecked) private var closed: [(fd: Int32, source: any EventSource)] = []
  @exclusivity(unchecked) private var timers = TimerQueue()
  @exclusivity(unchecked) private var running = true
  private var thread: Thread?

  /// - Parameter busyPollNanos: how long it goes on looking before it sleeps; 0 = not at all.
  package init(limits: Limits, busyPollNanos: UInt64 = 0, budget: BufferBudget? = nil) throws(Server.Failure) {
    epoll = try Epoll()
    wakeup = try Wakeup()
    self.limits = limits
    self.budget = budget ?? BufferBudget(bytesMax: limits.bufferBytesMax)
    self.busyPollNanos = busyPollNanos
    guard epoll.add(wakeup.fd, twind_readable) else { throw Server.Failure("watch an eventfd") }
  }

  /// Starts the thread.
  package func start(name: String) {
    thread = Thread(name: name) { self.run() }
  }

  package func post(_ job: @escaping @Sendable () -> Void) {
    let wasEmpty = jobLock.withLock {
      jobs.append(job)
      return jobs.count == 1
    }
    if wasEmpty { wakeup.signal() }
  }

  /// Ends the loop after the jobs posted so far and waits for the thread. All connections are closed.
  package func stop() {
    post { self.running = false }
    thread?.join()
  }

  // MARK: For the sources, on the reactor's thread

  /// Watches a descriptor. False when the kernel refuses.
  func add(_ source: any EventSource, _ fd: Int32, _ events: UInt32) -> Bool {
    guard epoll.add(fd, events) else { return false }
    if sources.count <= Int(fd) {
      sources.append(contentsOf: repeatElement(nil, count: Int(fd) + 1 - sources.count))
    }
    sources[Int(fd)] = source
    return true
  }

  func change(_ fd: Int32, _ events: UInt32) { epoll.change(fd, events) }

  /// Forgets and closes a descriptor. Its number stays taken until the turn ends, so that no event of this turn can
  /// reach a newcomer.
  func remove(_ fd: Int32) {
    guard let source = source(fd) else { return }
    if let last = lastHeard?.takeUnretainedValue(), last === source { lastHeard = nil }
    sources[Int(fd)] = nil
    timers.remove(UInt64(fd))
    epoll.remove(fd)
    closed.append((fd, source))
  }

  /// Calls `timer` of the descriptor's source at that time, and no more at the one set before.
  func wake(_ fd: Int32, at nanos: UInt64) { timers.set(UInt64(fd), to: nanos) }

  /// Refused connections that have not gone yet.
  var refusals: Int { sources.count { $0 is Refusal } }

  var connections: [Connection] { sources.compactMap { $0 as? Connection } }

  @inline(__always)
  private func source(_ fd: Int32) -> (any EventSource)? { sources.indices.contains(Int(fd)) ? sources[Int(fd)] : nil }

  // MARK: The loop

  private func run() {
    while running {
      let before = activity
      turn(nanos: idleNanos)
      if busyPollNanos > 0 && activity != before { spin() }
    }
    for source in sources { source?.close() }
    closeRemoved()
  }

  /// Waits for events, at most `nanos`, and sees to all that is due.
  private func turn(nanos: UInt64) {
    var woken = false
    epoll.wait(nanos: nanos) { fd, events in
      if fd == wakeup.fd {
        woken = true
      } else if let source = source(fd) {
        source.ready(events)
      }
    }
    if woken { runJobs() }
    runTimers()
    endTurn()
  }

  private func endTurn() {
    flushPending()
    enforceBudget()
    closeRemoved()
  }

  private func runTimers() {
    if timers.next == .max { return }
    let now = twind_monotonic_nanos()
    while let token = timers.take(now: now) { source(Int32(token))?.timer(now) }
  }

  private func runJobs() {
    wakeup.clear()
    activity &+= 1
    let taken = jobLock.withLock {
      let taken = jobs
      jobs.removeAll(keepingCapacity: true)
      return taken
    }
    for job in taken { job() }
  }

  /// How long nothing is to be done.
  private var idleNanos: UInt64 {
    if !pending.isEmpty { return 0 }
    let next = timers.next
    if next == .max { return .max }
    let now = twind_monotonic_nanos()
    return next > now ? next - now : 0
  }

  /// Connections that got something to send, other than in answer to what they have just read.
  @exclusivity(unchecked) var pending: [Connection] = []
  @exclusivity(unchecked) private var flushing: [Connection] = []

  /// What a flush makes others send is sent in the next turn.
  private func flushPending() {
    guard !pending.isEmpty else { return }
    swap(&pending, &flushing)
    for connection in flushing { connection.flushPending() }
    flushing.removeAll(keepingCapacity: true)
  }

  private func closeRemoved() {
    if closed.isEmpty { return }
    for removed in closed { Glibc.close(removed.fd) }
    closed.removeAll(keepingCapacity: true)
  }

  // MARK: Busy-polling

  /// Grows with everything that comes from outside.
  @exclusivity(unchecked) private var activity: UInt64 = 0
  /// Whose bytes came last; nil when it is gone.
  @exclusivity(unchecked) private var lastHeard: Unmanaged<Connection>?

  /// Bytes came from the connection's peer.
  @inline(__always)
  func heard(_ connection: Connection) {
    activity &+= 1
    lastHeard = .passUnretained(connection)
  }

  /// Looks for more without sleeping until nothing has come for `busyPollNanos`. Who spoke last is the likeliest to
  /// speak next: its socket is read without asking whether it can be, and all others are asked in between.
  private func spin() {
    var seen = activity
    var heardAt = twind_monotonic_nanos()
    while running {
      for _ in 0..<Self.directReads {
        let before = activity
        lastHeard?._withUnsafeGuaranteedRef { $0.ready(twind_readable) }
        if activity == before {
          twind_cpu_pause()
        } else {
          endTurn()
          // More than fits a turn, or something for others: they are looked at first.
          if !pending.isEmpty { break }
        }
      }
      turn(nanos: 0)
      let now = twind_monotonic_nanos()
      if activity != seen { (seen, heardAt) = (activity, now) }
      if now &- heardAt > busyPollNanos { return }
    }
  }

  private static let directReads = 16

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
  /// The time asked for with `wake` has come.
  func timer(_ now: UInt64)
  func close()
}
