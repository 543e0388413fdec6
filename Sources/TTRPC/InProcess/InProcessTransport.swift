// A server in the client's own process: the same session, frames and bytes, without a socket or a reactor.
//
// For tests of services, and for programs that serve themselves. The server's work runs on the threads that call.

import Threads
import CLinux
import Glibc

extension Client {
  /// A client of a router in this process.
  public static func inProcess(
    _ router: Router, peer: Peer = .current, limits: Limits = Limits(), options: Options = Options()
  ) -> Client {
    Client(options: options) { (_) throws(RPCError) in InProcessTransport(router, peer, limits) }
  }
}

/// Both ends of a connection. The lock makes whoever holds it the server's one thread.
final class InProcessTransport: Transport, Executor, SessionHost, @unchecked Sendable {
  private let lock = Lock()
  private var session: ServerSession!
  private var input: [UInt8] = []
  private var isOpen = true
  private var wakeAt = UInt64.max
  // A handler posts while `lock` is held, so jobs have a lock of their own.
  private let jobLock = Lock()
  private let news: Condition
  private var jobs: [@Sendable () -> Void] = []
  private var newsCount = 0

  init(_ router: Router, _ peer: Peer, _ limits: Limits) {
    news = Condition(jobLock)
    session = ServerSession(router: router, limits: limits, peer: peer, executor: self, arena: Arena())
    session.host = self
  }

  func post(_ job: @escaping @Sendable () -> Void) {
    jobLock.withLock { jobs.append(job) }
    announce()
  }

  func outputPending() {}

  func wake(at nanos: UInt64) { wakeAt = min(wakeAt, nanos) }

  func send(_ bytes: UnsafeRawBufferPointer) -> TransportResult {
    defer { announce() }
    return lock.withLock {
      guard isOpen else { return .closed }
      input.append(contentsOf: bytes)
      turn()
      return .bytes(bytes.count)
    }
  }

  func receive(into room: UnsafeMutableRawBufferPointer) -> TransportResult {
    lock.withLock {
      turn()
      let bytes = session.output.bytes
      if bytes.isEmpty { return isOpen && !session.isClosing ? .wouldBlock : .closed }
      let count = min(bytes.count, room.count)
      room.baseAddress!.copyMemory(from: bytes.baseAddress!, byteCount: count)
      session.output.consume(count)
      return .bytes(count)
    }
  }

  func wait(writable: Bool, until deadlineNanos: UInt64) {
    while !writable && twind_monotonic_nanos() < deadlineNanos {
      let seen = jobLock.withLock { newsCount }
      let (isReady, wakeAt) = lock.withLock {
        turn()
        return (!isOpen || session.isClosing || !session.output.isEmpty, self.wakeAt)
      }
      if isReady { return }
      let until = min(deadlineNanos, wakeAt)
      jobLock.withLock { if newsCount == seen { news.wait(until: until) } }
    }
  }

  func close() {
    lock.withLock {
      isOpen = false
      session.close()
    }
    announce()
  }

  private func announce() {
    jobLock.withLock {
      newsCount += 1
      news.broadcast()
    }
  }

  /// The server's turn: jobs, deadlines, frames, streams that want to go on.
  private func turn() {
    while let job = takeJob() { job() }
    let now = twind_monotonic_nanos()
    if wakeAt <= now { wakeAt = session.tick(now: now) }
    let consumed = input.withUnsafeBytes { session.receive($0, now: now) }
    input.removeFirst(consumed)
    if session.wantsOutput { session.produce() }
  }

  private func takeJob() -> (@Sendable () -> Void)? {
    jobLock.withLock { jobs.isEmpty ? nil : jobs.removeFirst() }
  }
}
