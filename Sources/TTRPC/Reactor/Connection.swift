// A server session's socket: reads, writes, and the time that a frame may take.
//
// As in the session, properties go without Swift's check at run time that nobody is in the middle of changing them: one
// thread has them, and none is lent to what could come back to it. For one read the checks cost more than the read.

import CLinux
import DequeModule
import Glibc

/// One accepted connection, confined to its reactor.
final class Connection: EventSource, SessionHost {
  let session: ServerSession
  /// Lives longer than its connections.
  private unowned(unsafe) let reactor: Reactor
  private let fd: Int32
  private let onClose: (Connection) -> Void
  /// Given back when the descriptor has been closed and this object goes.
  let seat: Seat
  /// On the monotonic clock.
  let openedAt = twind_monotonic_nanos()
  @exclusivity(unchecked) private var input = ReceiveBuffer()
  @exclusivity(unchecked) private var events = twind_readable
  @exclusivity(unchecked) private var isOpen = true
  /// There is something to send, or to go on with.
  @exclusivity(unchecked) private var isPending = false
  /// Jobs for its calls that have not run.
  @exclusivity(unchecked) private var jobs: Deque<Reactor.Job> = []
  /// The next turn goes on with frames that are here.
  @exclusivity(unchecked) private var hasFramesLeft = false
  /// The peer sends no more; what it has sent is still to be handled.
  @exclusivity(unchecked) private var hasEnded = false
  /// When what was read last had arrived.
  @exclusivity(unchecked) private var arrivedAt: UInt64 = 0
  /// When the frame that is not complete must be; nil between frames.
  @exclusivity(unchecked) private var frameDeadline: UInt64?
  /// When a closing connection's output must have been read; nil before it is closing.
  @exclusivity(unchecked) private var closeDeadline: UInt64?
  /// The timer asked for.
  @exclusivity(unchecked) private var wakeAt = UInt64.max
  /// What is counted on the connection's share: received bytes, and replies, as memory held for them.
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

  /// Begins to serve.
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
    receive()
  }

  func timer(_ now: UInt64) {
    wakeAt = .max
    if let closeDeadline, closeDeadline <= now { return close() }
    if let deadline = frameDeadline, deadline <= now {
      frameDeadline = nil
      session.frameTimedOut(input.bytes)
    }
    let next = session.tick(now: now)
    flush()
    if isOpen { wake(at: min(next, frameDeadline ?? .max, closeDeadline ?? .max)) }
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

  var hasWork: Bool { isOpen && (isPending || !jobs.isEmpty) }

  func work() {
    Reactor.runSome { jobs.popFirst() }
    guard isPending else { return }
    isPending = false
    flush()
  }

  // MARK: Input

  private func receive() {
    // Frames that are here come first; the next turn is theirs.
    if hasFramesLeft { return }
    let borrows = input.capacity == 0
    if borrows { swap(&input, &reactor.spareInput) }
    let room = input.room()
    let count = twind_receive(fd, room.baseAddress, room.count)
    let problem = count < 0 ? errno : 0
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
    if count == 0 { end() }
  }

  /// The peer has closed its side: what it sent before is handled, as far as that waits for us.
  private func end() {
    guard session.isPaused, !input.isEmpty else { return close() }
    hasEnded = true
    updateEvents()
  }

  /// Requests are read while replies wait, up to a limit; past it they are refused.
  private func refuseQueued() {
    guard isOpen, input.byteCount > Limits.queuedBytesMax else { return }
    input.consume(session.refuse(input.bytes, downTo: Limits.queuedBytesMax / 2, now: arrivedAt))
    send()
    afterSend()
  }

  /// What was lent goes back; a part of a frame moves into a buffer of this connection's own.
  private func giveBackSpare() {
    var own = input.isEmpty ? ReceiveBuffer() : ReceiveBuffer.holding(input.bytes)
    input.consume(input.byteCount)
    swap(&input, &own)
    swap(&own, &reactor.spareInput)
  }

  /// Handles the whole frames, as far as one turn goes, and sends the answers. What is left goes on in the next turn,
  /// unless the socket has to take answers first: no event will come for frames that are here.
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

  /// What holds nothing goes back to the reactor, or to the allocator when the reactor has a larger one.
  private func giveBackOutput() {
    guard session.output.isEmpty else { return }
    if session.output.capacity > reactor.spareOutput.capacity { swap(&session.output, &reactor.spareOutput) }
    session.output.free()
  }

  /// A frame that has begun must end in time. Frames of a connection that is paused or whose turn is over wait for us, not
  /// for their sender.
  private func trackFrame(progressed: Bool) {
    guard isOpen else { return }
    if input.isEmpty || session.isPaused || hasFramesLeft {
      frameDeadline = nil
    } else if progressed || frameDeadline == nil {
      frameDeadline = patience()
    }
  }

  /// The end of the time that a peer has for what it must do now.
  private func patience() -> UInt64 {
    let (end, overflow) = twind_monotonic_nanos().addingReportingOverflow(reactor.limits.frameNanosMax)
    if !overflow { wake(at: end) }
    return overflow ? .max : end
  }

  // MARK: Output

  /// Sends what there is, lets streams make more, and reads on where reading had paused.
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
    if hasEnded && !session.isPaused && !hasFramesLeft { close() }
  }

  /// One write; the rest waits for the socket.
  private func send() {
    guard isOpen, !session.output.isEmpty else { return }
    let bytes = session.output.bytes
    let count = twind_send(fd, bytes.baseAddress, bytes.count)
    if count > 0 {
      session.output.consume(count)
    } else if count < 0 && errno != EAGAIN && errno != EINTR {
      close()
    }
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

  private func updateEvents() {
    var wanted: UInt32 = isReading ? twind_readable : 0
    if !session.output.isEmpty { wanted |= twind_writable }
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

  /// Tells the reactor what is held now; of its own, not of what was lent.
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

  /// Bytes held for this connection, with what its calls keep.
  var heldBytes: Int { session.share.byteCount }

  /// Gives all memory back that it can, because it holds the most: its peer is told, unless it does not read either.
  func giveUp() {
    guard isOpen, session.output.isEmpty, !session.isClosing else { return close() }
    session.giveUp(input.bytes)
    input.consume(input.byteCount)
    input.free()
    hasFramesLeft = false
    flush()
  }

  // MARK: The end

  /// New calls are refused; the connection closes when the last one has been answered.
  func drain() {
    session.drain()
    flush()
  }

  /// It has never made a call, nor begun one.
  var isSilent: Bool { session.callCount == 0 && session.streamCount == 0 && input.isEmpty }

  /// Ends it. One that is silent hears why, in answer to its first call, which is number 1.
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

  /// Ends it, and leaves the client a moment to read why: closed while it still writes, its write would fail and it would
  /// not read.
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
    // Their calls have ended; what they hold is theirs to give back.
    while let job = jobs.popFirst() { reactor.take(job) }
    session.share.add(-receiveBytes - sendBytes)
    receiveBytes = 0
    sendBytes = 0
  }
}
