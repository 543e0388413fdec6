// One connection of a client: many threads' calls on one socket, without a thread of its own.
//
// Whoever waits for a reply reads, for all (leader and followers), and whoever has begun something writes, for all: a
// single caller thus writes and reads on its own thread. One lock guards the calls and says who has which role; it is
// never held across a system call.
//
// In a forked child nothing here is looked at any more, not even the lock: a thread that the child does not have may hold it.

import CLinux
import Glibc
import Threads

/// A connection until it breaks.
final class ClientChannel: @unchecked Sendable {
  /// Bytes that may wait for the thread that writes, before another that adds to them waits too.
  private static let outputBytesMax = 1 << 20

  private let transport: any Transport
  private let busyPollNanos: UInt64
  private let process = twind_process_generation()
  private let lock: Lock
  private let news: Condition
  // Guarded by `lock`.
  private var session = ClientSession()
  private var failure: RPCError?
  private var isReading = false
  private var isWriting = false
  // Used by the reader only.
  private var input = ReceiveBuffer()
  // Used by the writer only.
  private var sending = SendBuffer()

  /// - Parameter busyPollNanos: how long a thread that waits goes on looking before it sleeps; 0 = not at all.
  init(_ transport: any Transport, busyPollNanos: UInt64 = 0) {
    self.transport = transport
    self.busyPollNanos = busyPollNanos
    lock = Lock()
    news = Condition(lock)
  }

  /// New calls can begin.
  var isUsable: Bool { isOwn && lock.withLock { failure == nil && session.hasIDsLeft } }

  /// False in a child of the process that connected.
  private var isOwn: Bool { process == twind_process_generation() }

  private func checkOwn() throws(RPCError) {
    guard isOwn else {
      throw RPCError(
        .failedPrecondition, "this call belongs to the process that began it: begin another one in this process")
    }
  }

  // MARK: Calls

  /// Begins a call; `flush` sends it.
  func begin(_ shape: StreamingShape, _ envelope: [UInt8]) throws(RPCError) -> ClientCall {
    try lock.withLock { () throws(RPCError) in
      if let failure { throw failure }
      return try session.begin(shape, envelope)
    }
  }

  /// Sends a message of a stream. While another thread writes and much waits for it already, this one waits too.
  func send(_ call: ClientCall, _ message: [UInt8], until deadlineNanos: UInt64) throws(RPCError) {
    try checkOwn()
    try lock.withLock { () throws(RPCError) in
      while isWriting && session.output.byteCount > Self.outputBytesMax && call.outcome == nil {
        news.wait(until: deadlineNanos)
        if twind_monotonic_nanos() >= deadlineNanos { session.cancel(call, Self.expired) }
      }
      try session.send(call, message)
    }
    flush(until: deadlineNanos)
  }

  func closeSending(_ call: ClientCall, until deadlineNanos: UInt64) {
    guard isOwn else { return }
    lock.withLock { session.close(call) }
    flush(until: deadlineNanos)
  }

  /// Gives a call up; nothing happens when it has ended. Never waits.
  func cancel(_ call: ClientCall, _ error: RPCError) {
    guard isOwn else { return }
    lock.withLock {
      session.cancel(call, error)
      news.broadcast()
    }
    flush(until: 0)
    notify([call])
  }

  private static let expired = RPCError(.deadlineExceeded, "no reply came before the deadline")

  /// Waits for the next message of a stream, or for the end: nil when it is a success.
  func nextMessage(_ call: ClientCall, until deadlineNanos: UInt64) throws(RPCError) -> [UInt8]? {
    try checkOwn()
    wait(call, until: deadlineNanos)
    return try lock.withLock { () throws(RPCError) in
      if let message = call.takeMessage() { return message }
      if case .failure(let error) = call.outcome { throw error }
      return nil
    }
  }

  /// Waits for the payload of a response.
  func response(_ call: ClientCall, until deadlineNanos: UInt64) throws(RPCError) -> [UInt8] {
    try checkOwn()
    wait(call, until: deadlineNanos)
    guard let outcome = lock.withLock({ call.outcome }) else {
      throw RPCError(.failedPrecondition, "the call's reply is a stream: take its messages")
    }
    return try outcome.get()
  }

  /// Ends the connection and all its calls.
  func close(_ error: RPCError) {
    guard isOwn else { return }
    transport.close()
    fail(error)
  }

  // MARK: For callers that do not wait in place

  /// Suspends until something has come for the call or it has ended. One task at a time.
  func news(of call: ClientCall) async {
    guard isOwn else { return }
    await withCheckedContinuation { continuation in
      let isHere = lock.withLock {
        if call.hasNews { return true }
        call.onNews = { continuation.resume() }
        return false
      }
      if isHere { continuation.resume() }
    }
  }

  /// Cancels the call at its deadline.
  func expire(_ call: ClientCall, at deadlineNanos: UInt64) {
    guard deadlineNanos != .max else { return }
    let now = twind_monotonic_nanos()
    let expiry = Task { [self] in
      try await Task.sleep(nanoseconds: deadlineNanos > now ? deadlineNanos - now : 0)
      cancel(call, Self.expired)
    }
    lock.withLock { if call.outcome == nil { call.expiry = expiry } else { expiry.cancel() } }
  }

  /// Reads for all calls until the connection ends: the body of a reader thread.
  func readUntilClosed() {
    guard isOwn else { return }
    lock.withLock {
      while isReading { news.wait() }
      isReading = true
    }
    while lock.withLock({ failure == nil }) { read(until: .max) }
    stopReading()
  }

  // MARK: Reading

  /// Waits until something has come for the call; at the deadline it is cancelled.
  private func wait(_ call: ClientCall, until deadlineNanos: UInt64) {
    lock.lock()
    while !call.hasNews {
      if deadlineNanos != .max && twind_monotonic_nanos() >= deadlineNanos {
        session.cancel(call, Self.expired)
        lock.unlock()
        flush(until: 0)
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

  /// Takes the reader's role, if nobody has it.
  private func startReading() -> Bool {
    lock.withLock {
      defer { isReading = true }
      return !isReading
    }
  }

  private func stopReading() {
    lock.withLock {
      isReading = false
      news.broadcast()
    }
  }

  /// Reads once, waiting at most until the deadline.
  private func read(until deadlineNanos: UInt64) {
    var result = transport.receive(into: input.room())
    if result == .wouldBlock && busyPollNanos > 0 { result = spin(until: deadlineNanos) }
    if result == .wouldBlock {
      transport.wait(for: .readable, until: deadlineNanos)
      result = transport.receive(into: input.room())
    }
    received(result)
  }

  /// Looks again and again, without the sleep from which it would have to be woken.
  private func spin(until deadlineNanos: UInt64) -> TransportResult {
    let end = min(twind_monotonic_nanos() + busyPollNanos, deadlineNanos)
    repeat {
      for _ in 0..<Self.looksPerClock {
        twind_cpu_pause()
        let result = transport.receive(into: input.room())
        if result != .wouldBlock { return result }
      }
    } while twind_monotonic_nanos() < end
    return .wouldBlock
  }

  private static let looksPerClock = 8

  private func received(_ result: TransportResult) {
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
    let (consumed, hasOutput) = lock.withLock {
      let consumed = session.receive(input.bytes, changed: &changed)
      if !changed.isEmpty { news.broadcast() }
      return (consumed, !session.output.isEmpty)
    }
    guard let consumed else {
      input.consume(input.byteCount)
      return close(
        RPCError(.unavailable, "the server sent a frame over \(Limits.frameBytesMax) bytes (frameBytesMax)"))
    }
    input.consume(consumed)
    if input.isEmpty && input.capacity > 64 << 10 { input.free() }
    notify(changed)
    // A call that was cancelled for what came is to be told so; the reader itself waits for nobody.
    if hasOutput { flush(until: 0) }
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
    for call in calls { lock.withLock { call.takeOnNews() }?() }
  }

  // MARK: Writing

  /// Sends everything that was begun. Returns at once when another thread is at it: that one sends this too. Past the
  /// deadline on the monotonic clock a thread of its own goes on, so that nothing is left behind; 0 never waits.
  func flush(until deadlineNanos: UInt64) {
    guard isOwn else { return }
    let leads = lock.withLock { isWriting ? false : takeOutput() }
    if leads { write(until: deadlineNanos) }
  }

  /// Makes what was begun the writer's. False when there is nothing: then nobody has the role. Under the lock.
  private func takeOutput() -> Bool {
    swap(&sending, &session.output)
    let wasWriting = isWriting
    isWriting = !sending.isEmpty
    if wasWriting { news.broadcast() }
    return isWriting
  }

  /// Sends until there is nothing. While the socket takes nothing, replies are read, so that both sides cannot wait for
  /// each other.
  private func write(until deadlineNanos: UInt64) {
    repeat {
      while !sending.isEmpty {
        switch transport.send(sending.bytes) {
        case .bytes(let count): sending.consume(count)
        case .closed:
          sending.consume(sending.byteCount)
          readToTheEnd()
        case .wouldBlock:
          guard twind_monotonic_nanos() < deadlineNanos else {
            return Thread.detached(name: "ttrpc-writer") { self.write(until: .max) }
          }
          waitWritable(until: deadlineNanos)
        }
      }
      sending.trim()
    } while lock.withLock { takeOutput() }
  }

  private func waitWritable(until deadlineNanos: UInt64) {
    let leads = startReading()
    transport.wait(for: leads ? [.readable, .writable] : .writable, until: deadlineNanos)
    guard leads else { return }
    received(transport.receive(into: input.room()))
    stopReading()
  }

  /// The server takes no more, and has perhaps said why: whoever reads comes to that, at once if nobody does.
  private func readToTheEnd() {
    guard startReading() else { return }
    while lock.withLock({ failure == nil }) {
      let result = transport.receive(into: input.room())
      received(result == .wouldBlock ? .closed : result)
    }
    stopReading()
  }
}
