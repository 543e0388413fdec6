// A server in the client's process: the same session and frames, without a socket or a reactor.
//
// For tests, and for programs that embed a server. The server's work runs on the calling threads.

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

/// Both ends of a connection. The thread that holds the lock acts as the server's thread.
final class InProcessTransport: Transport, SessionHost, @unchecked Sendable {
  /// How many bytes may wait while the session is paused: one frame.
  private static let inputBytesMax = ReceiveBuffer.bytesMax

  private let lock = Lock()
  // Guarded by `lock`.
  private let session: ServerSession
  private var input: [UInt8] = []
  private var isOpen = true
  private var wakeAt = UInt64.max
  // A handler posts while `lock` is held: the queue has a lock of its own.
  private let jobs = JobQueue()

  init(_ router: Router, _ peer: Peer, _ limits: Limits) {
    session = ServerSession(router: router, limits: limits, peer: peer, executor: jobs, arena: Arena())
    session.host = self
  }

  deinit { session.host = nil }

  func outputPending() {}

  func wake(at nanos: UInt64) { wakeAt = min(wakeAt, nanos) }

  func send(_ bytes: UnsafeRawBufferPointer) -> TransportResult {
    defer { jobs.announce() }
    return lock.withLock {
      guard isOpen else { return .closed }
      turn()
      let count = min(bytes.count, Self.inputBytesMax - input.count)
      guard count > 0 else { return .wouldBlock }
      input.append(contentsOf: bytes[..<count])
      turn()
      return .bytes(count)
    }
  }

  func receive(into room: UnsafeMutableRawBufferPointer) -> TransportResult {
    let wasFull = lock.withLock { isFull }
    defer { if wasFull { jobs.announce() } }
    return lock.withLock {
      turn()
      let bytes = session.output.bytes
      if bytes.isEmpty { return isOpen && !session.isClosing ? .wouldBlock : .closed }
      let count = min(bytes.count, room.count)
      room.baseAddress!.copyMemory(from: bytes.baseAddress!, byteCount: count)
      session.output.consume(count)
      session.output.trim()
      return .bytes(count)
    }
  }

  func wait(for interest: TransportInterest, until deadlineNanos: UInt64) {
    while twind_monotonic_nanos() < deadlineNanos {
      let mark = jobs.mark
      let (isReady, wakeAt) = lock.withLock {
        turn()
        let isReadable = interest.contains(.readable) && !session.output.isEmpty
        let isWritable = interest.contains(.writable) && !isFull
        return (!isOpen || session.isClosing || isReadable || isWritable, self.wakeAt)
      }
      if isReady { return }
      jobs.wait(since: mark, until: min(deadlineNanos, wakeAt))
    }
  }

  func close() {
    lock.withLock {
      isOpen = false
      session.close()
    }
    jobs.announce()
  }

  private var isFull: Bool { input.count >= Self.inputBytesMax }

  /// One turn of the server: jobs, deadlines, frames, streams that can continue.
  private func turn() {
    while let job = jobs.take() { job() }
    let now = twind_monotonic_nanos()
    if wakeAt <= now { wakeAt = session.tick(now: now) }
    repeat {
      let consumed = input.withUnsafeBytes { session.receive($0, now: now) }
      input.removeFirst(consumed)
    } while session.isTurnOver
    session.produce()
  }
}
