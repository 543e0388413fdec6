// A client's connection: calls of many threads on one socket, without a background thread.
//
// One of the waiting threads reads for all (leader and followers), and one of the sending threads writes for all, so a
// single caller reads and writes on its own thread. One lock protects the calls and the two roles; it is never held
// during a system call.
//
// A forked child uses nothing of this, not even the lock: a thread that does not exist in the child may hold it.

import CLinux
import Glibc
import Threads

/// A connection, until it breaks.
final class ClientChannel: @unchecked Sendable {
  /// How many bytes may wait for the writing thread before other senders wait as well.
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

  /// - Parameter busyPollNanos: how long a waiting thread polls before it sleeps; 0: not at all.
  init(_ transport: any Transport, busyPollNanos: UInt64 = 0) {
    self.transport = transport
    self.busyPollNanos = busyPollNanos
    lock = Lock()
    news = Condition(lock)
  }

  /// Whether new calls can be started.
  var isUsable: Bool { isOwn && lock.withLock { failure == nil && session.hasIDsLeft } }

  /// False in a forked child of the process that connected.
  private var isOwn: Bool { process == twind_process_generation() }

  private func checkOwn() throws(RPCError) {
    guard isOwn else {
      throw RPCError(
        .failedPrecondition, "this call was started by the parent process: start another one in this process")
    }
  }

  // MARK: Calls

  /// Starts a call; `flush` sends it.
  func begin(_ shape: StreamingShape, _ envelope: [UInt8]) throws(RPCError) -> ClientCall {
    try lock.withLock { () throws(RPCError) in
      if let failure { throw failure }
      return try session.begin(shape, envelope)
    }
  }

  /// Sends a message on a stream. Waits if another thread is writing and has a lot to write.
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

  /// Cancels a call; does nothing if it has ended. Never waits.
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

  /// Waits for the next message of a stream; nil at its successful end.
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
      throw RPCError(.failedPrecondition, "the call's reply is a stream: read its messages")
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

  /// Suspends until something arrives for the call or it ends. One task at a time.
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

  /// Waits until something arrives for the call. Cancels it at the deadline.
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

  /// Becomes the reader, if there is none.
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

  /// Reads once. Waits until the deadline at most.
  private func read(until deadlineNanos: UInt64) {
    var result = transport.receive(into: input.room())
    if result == .wouldBlock && busyPollNanos > 0 { result = spin(until: deadlineNanos) }
    if result == .wouldBlock {
      transport.wait(for: .readable, until: deadlineNanos)
      result = transport.receive(into: input.room())
    }
    received(result)
  }

  /// Polls without sleeping, which saves the wake-up.
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
    case .closed:
      fail(
        RPCError(
          .unavailable,
          "the connection to the server ended: the server stopped, or refused the connection"))
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

  /// Sends everything that is pending. If another thread is already sending, returns at once: that thread sends it all.
  /// After the deadline on the monotonic clock a background thread continues; 0 never waits.
  func flush(until deadlineNanos: UInt64) {
    guard isOwn else { return }
    let leads = lock.withLock { isWriting ? false : takeOutput() }
    if leads { write(until: deadlineNanos) }
  }

  /// Hands pending output to the writer. False if there is none; then there is no writer. Called with the lock held.
  private func takeOutput() -> Bool {
    swap(&sending, &session.output)
    let wasWriting = isWriting
    isWriting = !sending.isEmpty
    if wasWriting { news.broadcast() }
    return isWriting
  }

  /// Sends until nothing is pending. While the socket is full it reads replies, so that the two sides cannot deadlock.
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

  /// The server has closed its end, perhaps with a reason. The reader will find it; without a reader, read it now.
  private func readToTheEnd() {
    guard startReading() else { return }
    while lock.withLock({ failure == nil }) {
      let result = transport.receive(into: input.room())
      received(result == .wouldBlock ? .closed : result)
    }
    stopReading()
  }
}
