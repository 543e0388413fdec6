// The socket of a server session: reading, writing, and the timeout for frames.
//
// As in the session, properties skip Swift's run-time exclusivity checks: only one thread uses them, and no access is
// held across a call that could access them again. The checks would cost more than the read that is served.

import CLinux
import DequeModule
import Glibc

/// An accepted connection. Used on its reactor's thread only.
final class Connection: EventSource, SessionHost {
  let session: ServerSession
  /// Lives longer than its connections.
  private unowned(unsafe) let reactor: Reactor
  private let fd: Int32
  private let onClose: (Connection) -> Void
  /// Released when the descriptor has been closed and this object is freed.
  let seat: Seat
  /// On the monotonic clock.
  let openedAt = twind_monotonic_nanos()
  @exclusivity(unchecked) private var input = ReceiveBuffer()
  @exclusivity(unchecked) private var events = twind_readable | twind_once
  /// Whether there may be bytes to read that no event will come for. Meaningless while nothing is read.
  @exclusivity(unchecked) private var mayHaveInput = false
  /// No more than what is there already will come, and then the end.
  @exclusivity(unchecked) private var isEndNear = false
  @exclusivity(unchecked) private var isOpen = true
  /// Whether there is something to send or to continue with.
  @exclusivity(unchecked) private var isPending = false
  /// Pending jobs for its calls.
  @exclusivity(unchecked) private var jobs: Deque<Reactor.Job> = []
  /// Whether the next turn continues with received frames.
  @exclusivity(unchecked) private var hasFramesLeft = false
  /// The peer has ended sending; what it sent is still handled.
  @exclusivity(unchecked) private var hasEnded = false
  /// When the bytes read last had arrived.
  @exclusivity(unchecked) private var arrivedAt: UInt64 = 0
  /// The deadline of the incomplete frame; nil between frames.
  @exclusivity(unchecked) private var frameDeadline: UInt64?
  /// The deadline for reading a closing connection's output; nil if it is not closing.
  @exclusivity(unchecked) private var closeDeadline: UInt64?
  /// Bytes that the kernel has taken so far.
  @exclusivity(unchecked) private var sentBytes: UInt64 = 0
  /// Who waits until so many have been sent, and how long, in ascending order.
  @exclusivity(unchecked) private var settlements: Deque<(sentBytes: UInt64, deadline: UInt64, done: () -> Void)> = []
  /// The current timer.
  @exclusivity(unchecked) private var wakeAt = UInt64.max
  /// What is counted on the connection's share: the memory for received bytes and for replies.
  @exclusivity(unchecked) private(set) var receiveBytes = 0
  @exclusivity(unchecked) private(set) var sendBytes = 0

  /// - Parameter onClose: called once, on the reactor's thread.
  init(
    _ fd: Int32, router: Router, peer: Peer, reactor: Reactor, seat: Seat, onClose: @escaping (Connection) -> Void
  ) {
    self.fd = fd
    self.seat = seat
    self.reactor = reactor
    self.onClose = onClose
    session = ServerSession(
      router: router, limits: reactor.limits, peer: peer, executor: reactor, arena: reactor.arena,
      share: reactor.budget.share(of: peer))
    session.host = self
  }

  deinit { session.host = nil }

  /// Starts to serve.
  func open() {
    if !reactor.add(self, fd, events) {
      isOpen = false
      Refusal.tell(
        fd, RPCError(.unavailable, "the system cannot watch another connection (errno \(errno)): try again later"))
      Glibc.close(fd)
      onClose(self)
    }
  }

  // MARK: Events

  func ready(_ ready: UInt32) {
    if ready & twind_writable != 0 { flush() }
    guard isOpen, ready & (twind_readable | twind_hung_up) != 0, events & twind_readable != 0 else {
      if isOpen && ready & twind_hung_up != 0 && events & twind_readable == 0 { close() }
      return
    }
    if ready & twind_ended != 0 { isEndNear = true }
    receive()
  }

  func timer(_ now: UInt64) {
    wakeAt = .max
    if min(closeDeadline ?? .max, settleDeadline) <= now { return close() }
    if let deadline = frameDeadline, deadline <= now {
      frameDeadline = nil
      session.frameTimedOut(input.bytes)
    }
    let next = session.tick(now: now)
    flush()
    if isOpen { wake(at: min(next, frameDeadline ?? .max, closeDeadline ?? .max, settleDeadline)) }
  }

  func wake(at nanos: UInt64) {
    guard nanos < wakeAt else { return }
    wakeAt = nanos
    reactor.wake(fd, at: nanos)
  }

  func outputPending() {
    guard !isPending else { return }
    isPending = true
    reactor.enqueue(fd)
  }

  /// A job for one of its calls.
  func take(_ job: @escaping Reactor.Job) {
    guard isOpen else { return reactor.take(job) }
    jobs.append(job)
    reactor.enqueue(fd)
  }

  var hasWork: Bool { isOpen && (isPending || !jobs.isEmpty || canReadOn) }

  func work() {
    Reactor.runSome { jobs.popFirst() }
    if isPending {
      isPending = false
      flush()
    } else if isOpen && canReadOn {
      receive()
    }
  }

  // MARK: Input

  /// Whether to read without waiting for an event. Reading that was stopped begins with an event in any case.
  private var canReadOn: Bool { mayHaveInput && !hasFramesLeft && events & twind_readable != 0 }

  private func receive() {
    // Frames that are here come first; the next turn is theirs.
    if hasFramesLeft {
      mayHaveInput = true
      return
    }
    let borrows = input.capacity == 0
    if borrows { swap(&input, &reactor.spareInput) }
    let room = input.room()
    let count = twind_receive(fd, room.baseAddress, room.count)
    let problem = count < 0 ? errno : 0
    // A buffer that is not full is a socket that is empty.
    mayHaveInput = count == room.count || isEndNear || problem == EINTR
    if count > 0 {
      input.received(count)
      reactor.heard(self)
      arrivedAt = twind_monotonic_nanos()
      handleInput()
      if session.isWaitingForReader { refuseQueued() }
    }
    if borrows { giveBackSpare() } else if input.isEmpty { input.free() }
    account()
    if count < 0 && problem != EAGAIN && problem != EINTR { return close() }
    if count == 0 { return end() }
    if isOpen && mayHaveInput { reactor.enqueue(fd) }
  }

  /// The peer will send no more. What it sent is still handled, and the replies that wait are still sent.
  private func end() {
    hasEnded = true
    if isDone { return close() }
    updateEvents()
  }

  /// Whether nothing is left to do for a peer that has ended sending.
  private var isDone: Bool { hasEnded && session.output.isEmpty && !session.isPaused && !hasFramesLeft }

  /// Requests are read while replies wait, up to a limit; above it they are refused.
  private func refuseQueued() {
    guard isOpen, input.byteCount > Limits.queuedBytesMax else { return }
    input.consume(session.refuse(input.bytes, downTo: Limits.queuedBytesMax / 2, now: arrivedAt))
    send()
    afterSend()
  }

  /// Returns the borrowed buffer; a partial frame is moved to the connection's own buffer.
  private func giveBackSpare() {
    var own = input.isEmpty ? ReceiveBuffer() : ReceiveBuffer.holding(input.bytes)
    input.consume(input.byteCount)
    swap(&input, &own)
    swap(&own, &reactor.spareInput)
  }

  /// Handles complete frames, within one turn, and sends the replies. The rest continues in the next turn, since no
  /// event will come for frames that are already here, unless the socket must first accept replies.
  private func handleInput() {
    if session.output.isEmpty { swap(&session.output, &reactor.spareOutput) }
    // What streams send meanwhile is sent here.
    let wasPending = isPending
    isPending = true
    let before = input.byteCount
    input.consume(session.receive(input.bytes, now: arrivedAt))
    let hasStopped = session.isTurnOver || session.isPaused
    send()
    isPending = wasPending
    hasFramesLeft = hasStopped && isOpen && !session.isPaused && !input.isEmpty
    if hasFramesLeft { outputPending() }
    trackFrame(progressed: input.byteCount < before)
    giveBackOutput()
    afterSend()
  }

  /// Returns empty buffers to the reactor, or frees them if the reactor has a larger one.
  private func giveBackOutput() {
    guard session.output.isEmpty else { return }
    if session.output.capacity > reactor.spareOutput.capacity { swap(&session.output, &reactor.spareOutput) }
    session.output.free()
  }

  /// A frame must be complete in time. If the connection is paused or its turn is over, the delay is ours and does not
  /// count.
  private func trackFrame(progressed: Bool) {
    guard isOpen else { return }
    if input.isEmpty || session.isPaused || hasFramesLeft {
      frameDeadline = nil
    } else if progressed || frameDeadline == nil {
      frameDeadline = patience()
    }
  }

  /// The deadline for what the peer must do next.
  private func patience() -> UInt64 {
    let (end, overflow) = twind_monotonic_nanos().addingReportingOverflow(reactor.limits.frameNanosMax)
    if !overflow { wake(at: end) }
    return overflow ? .max : end
  }

  // MARK: Output

  /// Sends pending output, lets streams make more, and resumes reading if it was paused.
  private func flush() {
    guard isOpen else { return }
    send()
    giveBackOutput()
    afterSend()
    account()
    if isOpen, !input.isEmpty, !session.isPaused, frameDeadline == nil {
      handleInput()
      if input.isEmpty { input.free() }
      account()
    }
    if isDone { close() }
  }

  /// One write; the rest waits for the socket.
  private func send() {
    guard isOpen, !session.output.isEmpty else { return }
    let bytes = session.output.bytes
    let count = twind_send(fd, bytes.baseAddress, bytes.count)
    if count > 0 {
      session.output.consume(count)
      sentBytes &+= UInt64(count)
      if !settlements.isEmpty { settle() }
    } else if count < 0 && errno != EAGAIN && errno != EINTR {
      close()
    }
  }

  /// Calls back when the present output has been sent. If it has not by the deadline, closes the connection.
  func settle(by deadline: UInt64, then done: @escaping () -> Void) {
    send()
    guard isOpen, !session.output.isEmpty else {
      if isDone { close() }
      return done()
    }
    settlements.append((sentBytes &+ UInt64(session.output.byteCount), deadline, done))
    wake(at: deadline)
  }

  private var settleDeadline: UInt64 { settlements.first?.deadline ?? .max }

  private func settle() {
    while let first = settlements.first, first.sentBytes <= sentBytes { settlements.removeFirst().done() }
  }

  private func afterSend() {
    guard isOpen else { return }
    if session.isClosing || session.isDeaf {
      if session.isClosing && session.output.isEmpty { return linger() }
      if closeDeadline == nil { closeDeadline = patience() }
    }
    if session.wantsOutput { session.produce() }
    // Who is not read from cannot be late.
    if session.isPaused { frameDeadline = nil }
    updateEvents()
  }

  /// Being told once spares epoll a look at the socket after each request, to see whether anything is left there. While
  /// something waits to be sent, events are repeated: then nothing depends on how much the kernel took.
  private func updateEvents() {
    var wanted: UInt32 = isReading ? twind_readable : 0
    wanted |= session.output.isEmpty ? twind_once : twind_writable
    if wanted != events {
      events = wanted
      reactor.change(fd, events)
    }
  }

  private var isReading: Bool {
    if session.isClosing || hasEnded { return false }
    if session.isDeaf { return true }
    return !session.isPaused
      || (session.isWaitingForReader && !session.isStuck && input.byteCount < ReceiveBuffer.bytesMax)
  }

  /// Tells the reactor how much memory the connection uses, without borrowed buffers.
  private func account() {
    guard isOpen else { return }
    let received = input.capacity
    let sent = session.output.capacity
    if received == receiveBytes && sent == sendBytes { return }
    session.share.add(received - receiveBytes + sent - sendBytes)
    session.share.setOutputBytes(sent)
    receiveBytes = received
    sendBytes = sent
    reactor.enforceBudget()
  }

  /// Memory used for this connection, including its calls.
  var heldBytes: Int { session.share.byteCount }

  /// Frees as much memory as possible, because this connection uses the most. Its peer gets an error, if it reads.
  func giveUp() {
    guard isOpen, session.output.isEmpty, !session.isClosing else { return close() }
    session.giveUp(input.bytes)
    input.consume(input.byteCount)
    input.free()
    hasFramesLeft = false
    flush()
  }

  // MARK: The end

  /// Refuses new calls, and closes the connection when the last call has been answered.
  func drain() {
    session.drain()
    flush()
  }

  /// Whether it has never made or started a call.
  var isSilent: Bool { session.callCount == 0 && session.streamCount == 0 && input.isEmpty }

  /// Ends the connection. A silent one gets the reason as the reply to its first call, which has number 1.
  func dismiss(_ reason: RPCError) {
    if isOpen && isSilent { Refusal.tell(fd, reason) }
    close()
  }

  var isIdle: Bool { session.streamCount == 0 && session.output.isEmpty && !hasFramesLeft }

  func close() {
    guard isOpen else { return }
    giveUpAll()
    reactor.remove(fd)
    onClose(self)
  }

  /// Ends the connection, but gives the client a moment to read the reason. If it were closed while the client writes,
  /// the write would fail, and the client would not read.
  private func linger() {
    guard isOpen else { return }
    if let foreign = session.foreignProtocol { reactor.onForeignProtocol?(foreign, session.peer) }
    giveUpAll()
    Refusal(fd, reactor, seat: seat).takeOver()
    onClose(self)
  }

  private func giveUpAll() {
    isOpen = false
    session.close()
    while let settlement = settlements.popFirst() { settlement.done() }
    // Their calls have ended; what they hold is theirs to give back.
    while let job = jobs.popFirst() { reactor.take(job) }
    session.share.add(-receiveBytes - sendBytes)
    receiveBytes = 0
    sendBytes = 0
  }
}
