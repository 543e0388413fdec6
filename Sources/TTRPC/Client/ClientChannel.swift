// One connection of a client: many threads' calls on one socket, without a thread of its own.
//
// Whoever waits for a reply reads, for all (leader and followers): a single caller thus writes and reads on its own
// thread. Two locks: `lock` guards the calls and is never held across a system call; `writeLock` orders the writes.

import Threads
import CLinux
import Glibc

/// A connection until it breaks.
final class ClientChannel: @unchecked Sendable {
  private let transport: any Transport
  private let lock = Lock()
  private let news: Condition
  private let writeLock = Lock()
  // Guarded by `lock`.
  private var session = ClientSession()
  private var failure: RPCError?
  private var isReading = false
  // Used by the reader only.
  private var input = ReceiveBuffer()
  // Guarded by `writeLock`.
  private var sending = SendBuffer()

  init(_ transport: any Transport) {
    self.transport = transport
    news = Condition(lock)
  }

  /// New calls can begin.
  var isUsable: Bool { lock.withLock { failure == nil && session.hasIDsLeft } }

  // MARK: Calls

  /// Begins a call; `flush` sends it.
  func begin(_ shape: StreamingShape, _ envelope: [UInt8]) throws(RPCError) -> ClientCall {
    try lock.withLock { () throws(RPCError) in
      if let failure { throw failure }
      return try session.begin(shape, envelope)
    }
  }

  func send(_ call: ClientCall, _ message: [UInt8]) throws(RPCError) {
    try lock.withLock { () throws(RPCError) in try session.send(call, message) }
    flush()
  }

  func closeSending(_ call: ClientCall) {
    lock.withLock { session.close(call) }
    flush()
  }

  /// Gives a call up; nothing happens when it has ended.
  func cancel(_ call: ClientCall, _ error: RPCError) {
    lock.withLock {
      session.cancel(call, error)
      news.broadcast()
    }
    flush()
    notify([call])
  }

  /// Cancels the call at its deadline, for callers that do not wait in place.
  func expire(_ call: ClientCall, at deadlineNanos: UInt64) -> Task<Void, any Error>? {
    guard deadlineNanos != .max else { return nil }
    let now = twind_monotonic_nanos()
    return Task { [self] in
      try await Task.sleep(nanoseconds: deadlineNanos > now ? deadlineNanos - now : 0)
      cancel(call, Self.expired)
    }
  }

  private static let expired = RPCError(.deadlineExceeded, "no reply came before the deadline")

  /// Waits for the next message of a stream, or for the end: nil when it is a success.
  func nextMessage(_ call: ClientCall, until deadlineNanos: UInt64) throws(RPCError) -> [UInt8]? {
    wait(call, until: deadlineNanos)
    return try lock.withLock { () throws(RPCError) in
      if let message = call.takeMessage() { return message }
      if case .failure(let error) = call.outcome { throw error }
      return nil
    }
  }

  /// Waits for the payload of a response.
  func response(_ call: ClientCall, until deadlineNanos: UInt64) throws(RPCError) -> [UInt8] {
    wait(call, until: deadlineNanos)
    return try lock.withLock { call.outcome! }.get()
  }

  /// What has come for a call, without waiting.
  func poll(_ call: ClientCall) -> (message: [UInt8]?, outcome: Result<[UInt8], RPCError>?) {
    lock.withLock { call.takeMessage().map { ($0, nil) } ?? (nil, call.outcome) }
  }

  /// Sets what is called when something comes, at once if something has.
  func onChange(_ call: ClientCall, _ body: @escaping @Sendable () -> Void) {
    let now = lock.withLock {
      call.onChange = body
      return call.hasNews
    }
    if now { body() }
  }

  /// Ends the connection and all its calls.
  func close(_ error: RPCError) {
    transport.close()
    fail(error)
  }

  // MARK: Reading

  /// Reads for all calls until the connection ends: the body of a reader thread.
  func readUntilClosed() {
    lock.withLock {
      while isReading { news.wait() }
      isReading = true
    }
    while lock.withLock({ failure == nil }) { read(until: .max) }
    lock.withLock {
      isReading = false
      news.broadcast()
    }
  }

  /// Waits until something has come for the call; at the deadline it is cancelled.
  private func wait(_ call: ClientCall, until deadlineNanos: UInt64) {
    lock.lock()
    while !call.hasNews {
      if deadlineNanos != .max && twind_monotonic_nanos() >= deadlineNanos {
        session.cancel(call, Self.expired)
        lock.unlock()
        flush()
        lock.lock()
      } else if isReading {
        news.wait(until: deadlineNanos)
      } else {
        isReading = true
        lock.unlock()
        read(until: deadlineNanos)
        lock.lock()
        isReading = false
        news.broadcast()
      }
    }
    lock.unlock()
  }

  /// Reads once, waiting at most until the deadline. Only for the thread that has set `isReading`.
  private func read(until deadlineNanos: UInt64) {
    var result = transport.receive(into: input.room())
    if result == .wouldBlock {
      transport.wait(writable: false, until: deadlineNanos)
      result = transport.receive(into: input.room())
    }
    switch result {
    case .wouldBlock: return
    case .closed: fail(RPCError(.unavailable, "the connection to the server ended: it stopped, or refused us"))
    case .bytes(let count):
      input.received(count)
      handleInput()
    }
  }

  private func handleInput() {
    var changed: [ClientCall] = []
    let consumed = lock.withLock {
      let consumed = session.receive(input.bytes, changed: &changed)
      if !changed.isEmpty { news.broadcast() }
      return consumed
    }
    guard let consumed else {
      return close(RPCError(.unavailable, "the server sent a frame over \(Limits.frameBytesMax) bytes (frameBytesMax)"))
    }
    input.consume(consumed)
    if input.isEmpty && input.capacity > 64 << 10 { input.free() }
    notify(changed)
  }

  private func fail(_ error: RPCError) {
    let failed = lock.withLock {
      if failure == nil { failure = error }
      news.broadcast()
      return session.fail(error)
    }
    notify(failed)
  }

  private func notify(_ calls: [ClientCall]) {
    for call in calls { lock.withLock { call.onChange }?() }
  }

  // MARK: Writing

  /// Sends everything that was begun. While the socket takes nothing, replies are read, so that both sides cannot
  /// wait for each other.
  func flush() {
    writeLock.withLock {
      while true {
        if sending.isEmpty { lock.withLock { swap(&sending, &session.output) } }
        if sending.isEmpty { return }
        switch transport.send(sending.bytes) {
        case .bytes(let count): sending.consume(count)
        case .wouldBlock: waitWritable()
        case .closed:
          sending.consume(sending.byteCount)
          return fail(RPCError(.unavailable, "the connection to the server ended: it stopped, or refused us"))
        }
      }
    }
  }

  private func waitWritable() {
    let leads = lock.withLock {
      if isReading { return false }
      isReading = true
      return true
    }
    transport.wait(writable: true, until: .max)
    guard leads else { return }
    if case .bytes(let count) = transport.receive(into: input.room()) {
      input.received(count)
      handleInput()
    }
    lock.withLock {
      isReading = false
      news.broadcast()
    }
  }
}
